/* What the three Kafka floors share: clients, and the thread that takes acknowledgements. */
#ifndef TIDEMILL_RAW_FLOOR_KAFKA_CLIENT_H
#define TIDEMILL_RAW_FLOOR_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common.h"

/* A client with these `name, value` pairs, ended by NULL; NULL when librdkafka refuses. */
rd_kafka_t *raw_floor_client(
    rd_kafka_type_t type, const char *bootstrap, const char *const *properties, raw_floor_result *result);

/* Ends a consumer or producer that `raw_floor_client` made; NULL is fine. */
void raw_floor_free(rd_kafka_t *client);

/* Called on the thread of deliveries, once for each acknowledged record. */
typedef void (*raw_floor_on_delivery)(void *context, const rd_kafka_message_t *message, int64_t now);

typedef struct {
    rd_kafka_t *producer;
    raw_floor_on_delivery on_delivery;
    void *context;
    pthread_t thread;
    atomic_llong acknowledged;
    atomic_llong failed;
    atomic_llong last_time;
    atomic_int is_ending;
    /* A producing thread that waits for room. */
    pthread_mutex_t lock;
    pthread_cond_t room;
} raw_floor_deliveries;

void raw_floor_deliveries_start(
    raw_floor_deliveries *deliveries, rd_kafka_t *producer, raw_floor_on_delivery on_delivery, void *context);
/* Ends the thread, not the producer. */
void raw_floor_deliveries_end(raw_floor_deliveries *deliveries);
/* Waits until so many are acknowledged or failed; 0 when `deadline` (raw_floor_clock) passes first. */
int raw_floor_deliveries_wait(raw_floor_deliveries *deliveries, int64_t count, int64_t deadline);

/* A topic partition list with every partition of the topic at this offset; `raw_floor_ends` instead asks for the ends. */
rd_kafka_topic_partition_list_t *raw_floor_positions(const raw_floor_work *work, int64_t offset);
rd_kafka_topic_partition_list_t *raw_floor_ends(
    rd_kafka_t *consumer, const raw_floor_work *work, raw_floor_result *result);

/* The headers of a record; librdkafka takes them over with it. */
rd_kafka_headers_t *raw_floor_headers(const raw_floor_work *work);

#endif
