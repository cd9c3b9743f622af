#include <time.h>

#include "common.h"

int64_t raw_floor_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t raw_floor_planned(int64_t start, double rate, int64_t number) {
    return start + (int64_t)((double)number * 1e9 / rate);
}

void raw_floor_wait_until(int64_t time) {
    int64_t left;
    while ((left = time - raw_floor_clock()) > 0) {
        struct timespec pause = {left / 1000000000, left % 1000000000};
        nanosleep(&pause, NULL);
    }
}
