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

/* What each record holds beside its key. */
typedef struct {
    char *headers, *payload;
    int header_bytes, payload_bytes;
} content;

static content make_content(const raw_floor_work *work) {
    content content = {.payload_bytes = work->payload_bytes};
    for (int32_t index = 0; index < work->header_count; index++)
        content.header_bytes += (int)(strlen(work->header_names[index]) + strlen(work->header_values[index])) + 4;
    content.headers = calloc(1, (size_t)content.header_bytes + 1);
    content.payload = calloc(1, (size_t)content.payload_bytes + 1);
    return content;
}

static void free_content(content content) {
    free(content.headers);
    free(content.payload);
}

static int insert_record(file *file, int64_t row, content content) {
    unsigned char key[16];
    raw_floor_key(row, key);
    return insert(file, row, key, content.payload, content.payload_bytes, content.headers, content.header_bytes);
}

static int insert_outcome(file *file, int64_t row, const unsigned char key[16]) {
    static const char outcome[raw_floor_outcome_bytes];
    return insert(file, outcome_row + row, key, outcome, sizeof(outcome), "", 0);
}

/* Records 0 ..< count, so many in each transaction. */
static void fill(file *file, const raw_floor_work *work, int32_t per_transaction) {
    content content = make_content(work);
    int64_t row = 0;
    while (row < work->count && file->result->message[0] == 0 && run(file, "BEGIN IMMEDIATE")) {
        for (int32_t index = 0; index < per_transaction && row < work->count; index++, row++)
            if (!insert_record(file, row, content)) break;
        if (!run(file, "COMMIT")) break;
    }
    file->result->records = row;
    free_content(content);
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
    unsigned char(*keys)[16] = calloc((size_t)per_transaction, 16);
    if (open_file(&file, path)) {
        fill(&file, work, 5000);
        int64_t start = raw_floor_clock(), row = 0;
        while (row < work->count && result.message[0] == 0) {
            int64_t left = work->count - row;
            int32_t found = read_keys(&file, row, left < per_transaction ? (int32_t)left : per_transaction, keys);
            if (found == 0 || !run(&file, "BEGIN IMMEDIATE")) break;
            for (int32_t index = 0; index < found; index++, row++)
                if (!insert_outcome(&file, row, keys[index])) break;
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

raw_floor_result raw_floor_sqlite_latency(
    const char *path, const raw_floor_work *work, double rate, int64_t *to_start, int64_t *to_settled) {
    raw_floor_result result = {0};
    file file = {.result = &result};
    content content = make_content(work);
    if (open_file(&file, path)) {
        int64_t start = raw_floor_clock(), row = 0, settled = 0;
        while (settled < work->count && result.message[0] == 0) {
            if (settled == row) raw_floor_wait_until(raw_floor_planned(start, rate, row));
            /* All that is due by now, and the outcomes of what became readable before. */
            int64_t readable = row, now = raw_floor_clock();
            if (!run(&file, "BEGIN IMMEDIATE")) break;
            for (; row < work->count && raw_floor_planned(start, rate, row) <= now; row++)
                if (!insert_record(&file, row, content)) break;
            for (int64_t number = settled; number < readable; number++) {
                unsigned char key[16];
                raw_floor_key(number, key);
                if (!insert_outcome(&file, number, key)) break;
            }
            if (!run(&file, "COMMIT")) break;
            now = raw_floor_clock();
            for (int64_t number = readable; number < row; number++)
                to_start[number] = now - raw_floor_planned(start, rate, number);
            for (; settled < readable; settled++) to_settled[settled] = now - raw_floor_planned(start, rate, settled);
        }
        result.records = row;
        result.nanoseconds = raw_floor_clock() - start;
    }
    close_file(&file);
    free_content(content);
    return result;
}
