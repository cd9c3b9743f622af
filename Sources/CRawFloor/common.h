#ifndef TIDEMILL_RAW_FLOOR_COMMON_H
#define TIDEMILL_RAW_FLOOR_COMMON_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "raw_floor.h"

/* Keeps the first problem. */
static inline void raw_floor_fail(raw_floor_result *result, const char *format, ...) {
    if (result->message[0] != 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->message, sizeof(result->message), format, arguments);
    va_end(arguments);
}

/* 16 bytes that differ for each number and look random, as fingerprints do. */
static inline void raw_floor_key(int64_t number, unsigned char key[16]) {
    for (int half = 0; half < 2; half++) {
        uint64_t mixed = ((uint64_t)number * 2 + (uint64_t)half + 1) * 0x9e3779b97f4a7c15u;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
        mixed ^= mixed >> 31;
        memcpy(key + 8 * half, &mixed, 8);
    }
}

/* When a record of an open loop is to be published. */
int64_t raw_floor_planned(int64_t start, double rate, int64_t number);

void raw_floor_wait_until(int64_t time);

enum { raw_floor_outcome_bytes = 32, raw_floor_batch = 1000 };

#endif
