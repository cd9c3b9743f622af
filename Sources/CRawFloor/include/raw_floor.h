/* The floor that the benchmark compares itself with: the bare C libraries, with no code of Tidemill's, doing the least
   that the same work needs. In C so that nobody can say the floor was slowed down by the language of the house. */
#ifndef TIDEMILL_RAW_FLOOR_H
#define TIDEMILL_RAW_FLOOR_H

#include <stddef.h>
#include <stdint.h>

/* What a run came to. `message` is empty when all is well. */
typedef struct {
    int64_t records;
    /* From the first record taken (or given) to the last acknowledgement. */
    int64_t nanoseconds;
    char message[256];
} raw_floor_result;

/* Where the records of a run come from and go to, and what one looks like. */
typedef struct {
    const char *bootstrap;
    const char *topic;
    /* Outcomes; has as many partitions as `topic`. */
    const char *outcome_topic;
    int32_t partitions;
    int64_t count;
    int32_t payload_bytes;
    int32_t header_count;
    const char *const *header_names;
    const char *const *header_values;
    /* Gives up after this long. */
    int32_t timeout_seconds;
} raw_floor_work;

const char *raw_floor_librdkafka_version(void);
const char *raw_floor_sqlite_version(void);

/* Monotonic, nanoseconds. */
int64_t raw_floor_clock(void);

/* Produces `count` records with headers, acks=all and idempotence, at most `in_flight` at once (0: no limit). */
raw_floor_result raw_floor_kafka_publish(const raw_floor_work *work, int32_t in_flight);

/* Consumes `count` records and produces an outcome of 48 bytes (key 16, value 32) for each, acks=all and idempotence;
   commits what is acknowledged every 100 ms under `group`. One consumer, one producer, batches wherever there are some. */
raw_floor_result raw_floor_kafka_burn_down(const raw_floor_work *work, const char *group);

/* Produces `count` records at `rate` a second, open loop; the same process consumes them and produces outcomes.
   Writes for each the nanoseconds from its planned time to its consumption, and to the outcome's acknowledgement. */
raw_floor_result raw_floor_kafka_latency(
    const raw_floor_work *work, double rate, int64_t *to_start, int64_t *to_settled);

/* Deletes topics as far as they exist. Returns 0, or librdkafka's error. */
int raw_floor_kafka_delete_topics(const char *bootstrap, const char *const *names, int32_t count);

/* Inserts `count` records into a new SQLite file, WAL and synchronous=FULL, so many in each transaction. */
raw_floor_result raw_floor_sqlite_publish(const char *path, const raw_floor_work *work, int32_t per_transaction);

/* Fills a new SQLite file with `count` records, then reads them in batches, and in one transaction for each batch
   inserts an outcome of 48 bytes for each record and moves the position; WAL and synchronous=FULL. */
raw_floor_result raw_floor_sqlite_burn_down(const char *path, const raw_floor_work *work, int32_t per_transaction);

/* Inserts `count` records at `rate` a second, open loop, and an outcome for each, into a new SQLite file with
   synchronous=FULL: each transaction takes what is due, and the outcomes of what the one before took. Writes for each
   the nanoseconds from its planned time to the end of the one (from then on it could be read), and to the end of the
   other. */
raw_floor_result raw_floor_sqlite_latency(
    const char *path, const raw_floor_work *work, double rate, int64_t *to_start, int64_t *to_settled);

#endif
