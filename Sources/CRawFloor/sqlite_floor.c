#include <sqlite3.h>
#include <stdlib.h>

#include "common.h"

const char *raw_floor_sqlite_version(void) { return sqlite3_libversion(); }

/* An open file with its statements, and the first thing that went wrong with it. */
typedef struct {
    sqlite3 *handle;
    sqlite3_stmt *insert, *read, *move;
    raw_floor_result *result;
} file;

/* Rows of outcomes lie behind all others. */
static const int64_t outcome_row = (int64_t)1 << 40;

static int is_fine(file *file, int code) {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return 1;
    raw_floor_fail(file->result, "sqlite: %s", sqlite3_errmsg(file->handle));
    return 0;
}

static int run(file *file, const char *sql) { return is_fine(file, sqlite3_exec(file->handle, sql, NULL, NULL, NULL)); }

static void close_file(file *file) {
    sqlite3_finalize(file->insert);
    sqlite3_finalize(file->read);
    sqlite3_finalize(file->move);
    sqlite3_close(file->handle);
}

static int open_file(file *file, const char *path) {
    if (!is_fine(file, sqlite3_open(path, &file->handle))) return 0;
    return run(file, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 2048;"
                     "CREATE TABLE record (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, key BLOB, value BLOB, "
                     "headers BLOB); CREATE TABLE position (id INTEGER PRIMARY KEY, next INTEGER NOT NULL);"
                     "INSERT INTO position VALUES (1, 0)") &&
           is_fine(file, sqlite3_prepare_v2(file->handle, "INSERT INTO record VALUES (?, ?, ?, ?, ?)", -1,
                                            &file->insert, NULL)) &&
           is_fine(file, sqlite3_prepare_v2(file->handle, "SELECT id, key, value, headers FROM record "
                                            "WHERE id >= ? ORDER BY id LIMIT ?", -1, &file->read, NULL)) &&
           is_fine(file, sqlite3_prepare_v2(file->handle, "UPDATE position SET next = ? WHERE id = 1", -1,
                                            &file->move, NULL));
}

static int insert(
    file *file, int64_t row, const void *key, const void *value, int bytes, const void *headers, int header_bytes) {
    sqlite3_reset(file->insert);
    sqlite3_bind_int64(file->insert, 1, row);
    sqlite3_bind_int64(file->insert, 2, raw_floor_clock() / 1000000);
    sqlite3_bind_blob(file->insert, 3, key, 16, SQLITE_STATIC);
    sqlite3_bind_blob(file->insert, 4, value, bytes, SQLITE_STATIC);
    sqlite3_bind_blob(file->insert, 5, headers, header_bytes, SQLITE_STATIC);
    return is_fine(file, sqlite3_step(file->insert));
}

/* Records 0 ..< count, so many in each transaction. */
static void fill(file *file, const raw_floor_work *work, int32_t per_transaction) {
    int header_bytes = 0;
    for (int32_t index = 0; index < work->header_count; index++)
        header_bytes += (int)(strlen(work->header_names[index]) + strlen(work->header_values[index])) + 4;
    char *headers = calloc(1, (size_t)header_bytes + 1);
    char *payload = calloc(1, (size_t)work->payload_bytes + 1);
    int64_t row = 0;
    while (row < work->count && run(file, "BEGIN IMMEDIATE")) {
        for (int32_t index = 0; index < per_transaction && row < work->count; index++, row++) {
            unsigned char key[16];
            raw_floor_key(row, key);
            if (!insert(file, row, key, payload, work->payload_bytes, headers, header_bytes)) break;
        }
        if (!run(file, "COMMIT")) break;
    }
    file->result->records = row;
    free(headers);
    free(payload);
}

raw_floor_result raw_floor_sqlite_publish(const char *path, const raw_floor_work *work, int32_t per_transaction) {
    raw_floor_result result = {0};
    file file = {.result = &result};
    if (open_file(&file, path)) {
        int64_t start = raw_floor_clock();
        fill(&file, work, per_transaction);
        result.nanoseconds = raw_floor_clock() - start;
    }
    close_file(&file);
    return result;
}

/* Keys of the next records; returns how many. */
static int32_t read_keys(file *file, int64_t row, int32_t limit, unsigned char (*keys)[16]) {
    int32_t found = 0;
    sqlite3_reset(file->read);
    sqlite3_bind_int64(file->read, 1, row);
    sqlite3_bind_int(file->read, 2, limit);
    while (sqlite3_step(file->read) == SQLITE_ROW) {
        if (sqlite3_column_bytes(file->read, 1) == 16) memcpy(keys[found], sqlite3_column_blob(file->read, 1), 16);
        found++;
    }
    sqlite3_reset(file->read);
    return found;
}

raw_floor_result raw_floor_sqlite_burn_down(const char *path, const raw_floor_work *work, int32_t per_transaction) {
    raw_floor_result result = {0};
    file file = {.result = &result};
    static const char outcome[raw_floor_outcome_bytes];
    unsigned char(*keys)[16] = calloc((size_t)per_transaction, 16);
    if (open_file(&file, path)) {
        fill(&file, work, 5000);
        int64_t start = raw_floor_clock(), row = 0;
        while (row < work->count && result.message[0] == 0) {
            int64_t left = work->count - row;
            int32_t found = read_keys(&file, row, left < per_transaction ? (int32_t)left : per_transaction, keys);
            if (found == 0 || !run(&file, "BEGIN IMMEDIATE")) break;
            for (int32_t index = 0; index < found; index++, row++)
                if (!insert(&file, outcome_row + row, keys[index], outcome, sizeof(outcome), "", 0)) break;
            sqlite3_reset(file.move);
            sqlite3_bind_int64(file.move, 1, row);
            if (!is_fine(&file, sqlite3_step(file.move)) || !run(&file, "COMMIT")) break;
        }
        result.records = row;
        result.nanoseconds = raw_floor_clock() - start;
    }
    close_file(&file);
    free(keys);
    return result;
}
