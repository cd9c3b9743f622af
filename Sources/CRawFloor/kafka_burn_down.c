#include <stdlib.h>
#include <unistd.h>

#include "kafka_client.h"

/* One past the highest acknowledged offset of each source partition: librdkafka keeps their order. */
typedef struct {
    atomic_llong *settled;
} progress;

static void delivered(void *context, const rd_kafka_message_t *message, int64_t now) {
    (void)now;
    progress *progress = context;
    atomic_store_explicit(
        &progress->settled[message->partition], (long long)(intptr_t)message->_private, memory_order_relaxed);
}

static void commit(rd_kafka_t *consumer, const raw_floor_work *work, progress *progress) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(work->partitions);
    for (int32_t partition = 0; partition < work->partitions; partition++) {
        long long offset = atomic_load_explicit(&progress->settled[partition], memory_order_relaxed);
        if (offset > 0) rd_kafka_topic_partition_list_add(list, work->topic, partition)->offset = offset;
    }
    if (list->cnt > 0) rd_kafka_commit(consumer, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
}

/* Takes what is there: waits for one, then the rest without waiting. */
static ssize_t take(rd_kafka_queue_t *queue, rd_kafka_message_t **messages) {
    ssize_t first = rd_kafka_consume_batch_queue(queue, 100, messages, 1);
    if (first <= 0) return 0;
    ssize_t more = rd_kafka_consume_batch_queue(queue, 0, messages + 1, raw_floor_batch - 1);
    return 1 + (more > 0 ? more : 0);
}

static void settle(
    rd_kafka_topic_t *outcomes, rd_kafka_message_t **messages, ssize_t count, rd_kafka_message_t *batch,
    int64_t deadline, raw_floor_result *result) {
    static char outcome[raw_floor_outcome_bytes];
    int filled = 0;
    for (ssize_t index = 0; index < count; index++) {
        rd_kafka_message_t *message = messages[index];
        if (message->err) {
            raw_floor_fail(result, "consume: %s", rd_kafka_message_errstr(message));
            continue;
        }
        rd_kafka_message_t *next = &batch[filled++];
        memset(next, 0, sizeof(*next));
        next->partition = message->partition;
        next->payload = outcome;
        next->len = sizeof(outcome);
        next->key = message->key;
        next->key_len = message->key_len;
        next->_private = (void *)(intptr_t)(message->offset + 1);
    }
    int flags = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_PARTITION;
    rd_kafka_produce_batch(outcomes, RD_KAFKA_PARTITION_UA, flags, batch, filled);
    for (int index = 0; index < filled; index++) {
        rd_kafka_message_t *next = &batch[index];
        while (next->err == RD_KAFKA_RESP_ERR__QUEUE_FULL && raw_floor_clock() < deadline) {
            usleep(500);
            rd_kafka_produce_batch(outcomes, RD_KAFKA_PARTITION_UA, flags, next, 1);
        }
        if (next->err) raw_floor_fail(result, "produce: %s", rd_kafka_err2str(next->err));
    }
    for (ssize_t index = 0; index < count; index++) rd_kafka_message_destroy(messages[index]);
}

raw_floor_result raw_floor_kafka_burn_down(const raw_floor_work *work, const char *group) {
    raw_floor_result result = {0};
    const char *const producing[] = {
        "acks", "all", "enable.idempotence", "true", "linger.ms", "5",
        "queue.buffering.max.messages", "100000", NULL};
    const char *const consuming[] = {
        "group.id", group, "enable.auto.commit", "false", "auto.offset.reset", "earliest",
        "queued.min.messages", "50000", "fetch.wait.max.ms", "20",
        /* Since librdkafka 2.2.0. */
        rd_kafka_version() >= 0x02020000 ? "fetch.queue.backoff.ms" : NULL, "5", NULL};
    rd_kafka_t *producer = raw_floor_client(RD_KAFKA_PRODUCER, work->bootstrap, producing, &result);
    rd_kafka_t *consumer = raw_floor_client(RD_KAFKA_CONSUMER, work->bootstrap, consuming, &result);
    if (producer == NULL || consumer == NULL) {
        raw_floor_free(consumer);
        raw_floor_free(producer);
        return result;
    }
    rd_kafka_topic_t *outcomes = rd_kafka_topic_new(producer, work->outcome_topic, NULL);
    progress progress = {calloc((size_t)work->partitions, sizeof(atomic_llong))};
    raw_floor_deliveries deliveries;
    raw_floor_deliveries_start(&deliveries, producer, delivered, &progress);
    rd_kafka_message_t **messages = calloc(raw_floor_batch, sizeof(*messages));
    rd_kafka_message_t *batch = calloc(raw_floor_batch, sizeof(*batch));
    rd_kafka_topic_partition_list_t *positions = raw_floor_positions(work, 0);
    rd_kafka_assign(consumer, positions);
    rd_kafka_topic_partition_list_destroy(positions);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);

    int64_t deadline = raw_floor_clock() + (int64_t)work->timeout_seconds * 1000000000;
    int64_t start = 0, consumed = 0, next_commit = 0;
    while (consumed < work->count && result.message[0] == 0) {
        ssize_t count = take(queue, messages);
        int64_t now = raw_floor_clock();
        if (now >= deadline) raw_floor_fail(&result, "%lld records consumed in time", (long long)consumed);
        if (count == 0) continue;
        if (start == 0) start = now, next_commit = now + 100000000;
        consumed += count;
        settle(outcomes, messages, count, batch, deadline, &result);
        if (now >= next_commit) {
            commit(consumer, work, &progress);
            next_commit = now + 100000000;
        }
    }
    if (result.message[0] == 0 && !raw_floor_deliveries_wait(&deliveries, consumed, deadline))
        raw_floor_fail(&result, "not acknowledged in time");
    if (atomic_load(&deliveries.failed) > 0) raw_floor_fail(&result, "%lld failed", atomic_load(&deliveries.failed));
    result.records = atomic_load(&deliveries.acknowledged);
    result.nanoseconds = atomic_load(&deliveries.last_time) - start;
    commit(consumer, work, &progress);

    raw_floor_deliveries_end(&deliveries);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(outcomes);
    raw_floor_free(consumer);
    raw_floor_free(producer);
    free(messages);
    free(batch);
    free(progress.settled);
    return result;
}
