#include <stdlib.h>

#include "kafka_client.h"

/* The payload begins with the record's number. */
typedef struct {
    const raw_floor_work *work;
    rd_kafka_t *consumer;
    rd_kafka_topic_t *outcomes;
    double rate;
    int64_t start;
    int64_t *to_start;
    int64_t *to_settled;
    atomic_llong consumed;
    atomic_int is_ending;
} loop;

static int64_t planned(const loop *loop, int64_t number) {
    return raw_floor_planned(loop->start, loop->rate, number);
}

static void delivered(void *context, const rd_kafka_message_t *message, int64_t now) {
    loop *loop = context;
    int64_t number = (int64_t)(intptr_t)message->_private - 1;
    /* Only outcomes carry a number. */
    if (number >= 0) loop->to_settled[number] = now - planned(loop, number);
}

static void *consume(void *argument) {
    loop *loop = argument;
    static char outcome[raw_floor_outcome_bytes];
    while (!atomic_load(&loop->is_ending)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(loop->consumer, 50);
        if (message == NULL) continue;
        int64_t number = 0;
        if (!message->err && message->len >= sizeof(number)) {
            memcpy(&number, message->payload, sizeof(number));
            if (number >= 0 && number < loop->work->count) {
                loop->to_start[number] = raw_floor_clock() - planned(loop, number);
                rd_kafka_produce(
                    loop->outcomes, message->partition, RD_KAFKA_MSG_F_COPY, outcome, sizeof(outcome), message->key,
                    message->key_len, (void *)(intptr_t)(number + 1));
                atomic_fetch_add(&loop->consumed, 1);
            }
        }
        rd_kafka_message_destroy(message);
    }
    return NULL;
}

raw_floor_result raw_floor_kafka_latency(
    const raw_floor_work *work, double rate, int64_t *to_start, int64_t *to_settled) {
    raw_floor_result result = {0};
    const char *const producing[] = {"acks", "all", "enable.idempotence", "true", "linger.ms", "0", NULL};
    const char *const consuming[] = {
        "group.id", "raw-floor", "enable.auto.commit", "false", "auto.offset.reset", "earliest",
        "fetch.wait.max.ms", "20", NULL};
    rd_kafka_t *producer = raw_floor_client(RD_KAFKA_PRODUCER, work->bootstrap, producing, &result);
    rd_kafka_t *consumer = raw_floor_client(RD_KAFKA_CONSUMER, work->bootstrap, consuming, &result);
    if (producer == NULL || consumer == NULL) {
        raw_floor_free(consumer);
        raw_floor_free(producer);
        return result;
    }
    rd_kafka_topic_t *source = rd_kafka_topic_new(producer, work->topic, NULL);
    loop loop = {
        .work = work, .consumer = consumer, .rate = rate, .to_start = to_start, .to_settled = to_settled,
        .outcomes = rd_kafka_topic_new(producer, work->outcome_topic, NULL)};
    rd_kafka_topic_partition_list_t *positions = raw_floor_ends(consumer, work, &result);
    rd_kafka_assign(consumer, positions);
    rd_kafka_topic_partition_list_destroy(positions);
    char *payload = calloc(1, (size_t)work->payload_bytes + sizeof(int64_t));
    size_t payload_bytes = (size_t)work->payload_bytes < sizeof(int64_t) ? sizeof(int64_t) : (size_t)work->payload_bytes;
    /* The fetchers and the producer's connection are up before the first record counts. */
    loop.start = raw_floor_clock() + 1000000000;
    raw_floor_deliveries deliveries;
    raw_floor_deliveries_start(&deliveries, producer, delivered, &loop);
    pthread_t thread;
    pthread_create(&thread, NULL, consume, &loop);
    for (int64_t number = 0; number < work->count && result.message[0] == 0; number++) {
        raw_floor_wait_until(planned(&loop, number));
        unsigned char key[16];
        raw_floor_key(number, key);
        memcpy(payload, &number, sizeof(number));
        rd_kafka_headers_t *headers = raw_floor_headers(work);
        rd_kafka_resp_err_t error = rd_kafka_producev(
            producer, RD_KAFKA_V_RKT(source), RD_KAFKA_V_PARTITION((int32_t)(number % work->partitions)),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, sizeof(key)),
            RD_KAFKA_V_VALUE(payload, payload_bytes), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (error) {
            if (headers) rd_kafka_headers_destroy(headers);
            raw_floor_fail(&result, "produce: %s", rd_kafka_err2str(error));
        }
    }
    int64_t deadline = raw_floor_clock() + (int64_t)work->timeout_seconds * 1000000000;
    /* Each record, and its outcome. */
    if (result.message[0] == 0 && !raw_floor_deliveries_wait(&deliveries, 2 * work->count, deadline))
        raw_floor_fail(&result, "not acknowledged in time");
    if (atomic_load(&deliveries.failed) > 0) raw_floor_fail(&result, "%lld failed", atomic_load(&deliveries.failed));
    atomic_store(&loop.is_ending, 1);
    pthread_join(thread, NULL);
    result.records = atomic_load(&loop.consumed);
    result.nanoseconds = atomic_load(&deliveries.last_time) - loop.start;
    raw_floor_deliveries_end(&deliveries);
    rd_kafka_topic_destroy(source);
    rd_kafka_topic_destroy(loop.outcomes);
    raw_floor_free(consumer);
    raw_floor_free(producer);
    free(payload);
    return result;
}
