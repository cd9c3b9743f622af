#include <stdlib.h>
#include <unistd.h>

#include "kafka_client.h"

/* Where ours sends single events: to a third of the partitions, another third every 8 ms. */
static int32_t raw_floor_turn(int64_t number, int32_t partitions) {
    int32_t width = (partitions + 2) / 3 < 2 ? 2 : (partitions + 2) / 3;
    if (width >= partitions) return (int32_t)(number % partitions);
    int64_t turn = raw_floor_clock() / 8000000 % partitions;
    return (int32_t)((turn * width + number % width) % partitions);
}

raw_floor_result raw_floor_kafka_publish(const raw_floor_work *work, int32_t in_flight) {
    raw_floor_result result = {0};
    const char *const properties[] = {
        "acks", "all", "enable.idempotence", "true", "linger.ms", in_flight > 0 ? "0.5" : "5",
        "queue.buffering.max.messages", "100000", NULL};
    rd_kafka_t *producer = raw_floor_client(RD_KAFKA_PRODUCER, work->bootstrap, properties, &result);
    if (producer == NULL) return result;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, work->topic, NULL);
    char *payload = calloc(1, (size_t)work->payload_bytes + 1);
    raw_floor_deliveries deliveries;
    raw_floor_deliveries_start(&deliveries, producer, NULL, NULL);
    int64_t deadline = raw_floor_clock() + (int64_t)work->timeout_seconds * 1000000000;
    /* One ahead of the clock, for connections and the producer's id; ours does the same. */
    rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, payload, (size_t)work->payload_bytes, NULL, 0, NULL);
    if (!raw_floor_deliveries_wait(&deliveries, 1, deadline)) raw_floor_fail(&result, "the brokers do not answer");
    int64_t start = raw_floor_clock();
    for (int64_t number = 0; number < work->count && result.message[0] == 0; number++) {
        if (in_flight > 0 && !raw_floor_deliveries_wait(&deliveries, number - in_flight + 2, deadline))
            raw_floor_fail(&result, "not acknowledged in time");
        unsigned char key[16];
        raw_floor_key(number, key);
        rd_kafka_headers_t *headers = raw_floor_headers(work);
        int32_t partition =
            in_flight > 0 ? raw_floor_turn(number, work->partitions) : (int32_t)(number % work->partitions);
        rd_kafka_resp_err_t error;
        while (1) {
            error = rd_kafka_producev(
                producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, sizeof(key)),
                RD_KAFKA_V_VALUE(payload, (size_t)work->payload_bytes), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
            if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || raw_floor_clock() >= deadline) break;
            usleep(500);
        }
        if (error) {
            if (headers) rd_kafka_headers_destroy(headers);
            raw_floor_fail(&result, "produce: %s", rd_kafka_err2str(error));
        }
    }
    if (result.message[0] == 0 && !raw_floor_deliveries_wait(&deliveries, work->count + 1, deadline))
        raw_floor_fail(&result, "not acknowledged in time");
    if (atomic_load(&deliveries.failed) > 0) raw_floor_fail(&result, "%lld failed", atomic_load(&deliveries.failed));
    result.records = atomic_load(&deliveries.acknowledged) - 1;
    result.nanoseconds = atomic_load(&deliveries.last_time) - start;
    raw_floor_deliveries_end(&deliveries);
    rd_kafka_topic_destroy(topic);
    raw_floor_free(producer);
    free(payload);
    return result;
}
