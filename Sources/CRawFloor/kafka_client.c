#include <time.h>
#include "kafka_client.h"

#include <errno.h>
#include <stdlib.h>

const char *raw_floor_librdkafka_version(void) { return rd_kafka_version_str(); }

static int is_set(rd_kafka_conf_t *configuration, const char *name, const char *value, raw_floor_result *result) {
    char problem[160];
    if (rd_kafka_conf_set(configuration, name, value, problem, sizeof(problem)) == RD_KAFKA_CONF_OK) return 1;
    raw_floor_fail(result, "%s=%s: %s", name, value, problem);
    return 0;
}

rd_kafka_t *raw_floor_client(
    rd_kafka_type_t type, const char *bootstrap, const char *const *properties, raw_floor_result *result) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    int is_fine = is_set(configuration, "bootstrap.servers", bootstrap, result) &&
                  is_set(configuration, "socket.nagle.disable", "true", result) &&
                  is_set(configuration, "log_level", "3", result);
    for (int index = 0; is_fine && properties[index] != NULL; index += 2)
        is_fine = is_set(configuration, properties[index], properties[index + 1], result);
    if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_events(configuration, RD_KAFKA_EVENT_DR);
    char problem[160] = "";
    rd_kafka_t *client = is_fine ? rd_kafka_new(type, configuration, problem, sizeof(problem)) : NULL;
    if (client == NULL) {
        raw_floor_fail(result, "no client: %s", problem);
        rd_kafka_conf_destroy(configuration);
    } else if (type == RD_KAFKA_CONSUMER) {
        rd_kafka_poll_set_consumer(client);
    }
    return client;
}

void raw_floor_free(rd_kafka_t *client) {
    if (client == NULL) return;
    if (rd_kafka_type(client) == RD_KAFKA_CONSUMER)
        rd_kafka_consumer_close(client);
    else
        rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(client);
}

static void *serve_deliveries(void *argument) {
    raw_floor_deliveries *deliveries = argument;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(deliveries->producer);
    while (!atomic_load(&deliveries->is_ending)) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 50);
        if (event == NULL) continue;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            int64_t now = raw_floor_clock();
            long long acknowledged = 0, failed = 0;
            const rd_kafka_message_t *message;
            while ((message = rd_kafka_event_message_next(event)) != NULL) {
                if (message->err) {
                    failed++;
                    continue;
                }
                acknowledged++;
                if (deliveries->on_delivery) deliveries->on_delivery(deliveries->context, message, now);
            }
            atomic_store(&deliveries->last_time, now);
            pthread_mutex_lock(&deliveries->lock);
            atomic_fetch_add(&deliveries->acknowledged, acknowledged);
            atomic_fetch_add(&deliveries->failed, failed);
            pthread_cond_broadcast(&deliveries->room);
            pthread_mutex_unlock(&deliveries->lock);
        }
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return NULL;
}

void raw_floor_deliveries_start(
    raw_floor_deliveries *deliveries, rd_kafka_t *producer, raw_floor_on_delivery on_delivery, void *context) {
    memset(deliveries, 0, sizeof(*deliveries));
    deliveries->producer = producer;
    deliveries->on_delivery = on_delivery;
    deliveries->context = context;
    pthread_mutex_init(&deliveries->lock, NULL);
    pthread_cond_init(&deliveries->room, NULL);
    pthread_create(&deliveries->thread, NULL, serve_deliveries, deliveries);
}

void raw_floor_deliveries_end(raw_floor_deliveries *deliveries) {
    atomic_store(&deliveries->is_ending, 1);
    pthread_join(deliveries->thread, NULL);
    pthread_cond_destroy(&deliveries->room);
    pthread_mutex_destroy(&deliveries->lock);
}

int raw_floor_deliveries_wait(raw_floor_deliveries *deliveries, int64_t count, int64_t deadline) {
    int is_met = 0;
    pthread_mutex_lock(&deliveries->lock);
    while (1) {
        is_met = atomic_load(&deliveries->acknowledged) + atomic_load(&deliveries->failed) >= count;
        if (is_met || raw_floor_clock() >= deadline) break;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100 * 1000 * 1000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&deliveries->room, &deliveries->lock, &until);
    }
    pthread_mutex_unlock(&deliveries->lock);
    return is_met;
}

rd_kafka_topic_partition_list_t *raw_floor_positions(const raw_floor_work *work, int64_t offset) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(work->partitions);
    for (int32_t partition = 0; partition < work->partitions; partition++)
        rd_kafka_topic_partition_list_add(list, work->topic, partition)->offset = offset;
    return list;
}

rd_kafka_topic_partition_list_t *raw_floor_ends(
    rd_kafka_t *consumer, const raw_floor_work *work, raw_floor_result *result) {
    rd_kafka_topic_partition_list_t *list = raw_floor_positions(work, 0);
    for (int index = 0; index < list->cnt; index++) {
        int64_t low = 0, high = 0;
        rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
            consumer, work->topic, list->elems[index].partition, &low, &high, 10000);
        if (error) raw_floor_fail(result, "end of %s: %s", work->topic, rd_kafka_err2str(error));
        list->elems[index].offset = high;
    }
    return list;
}

rd_kafka_headers_t *raw_floor_headers(const raw_floor_work *work) {
    if (work->header_count == 0) return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new((size_t)work->header_count);
    for (int32_t index = 0; index < work->header_count; index++)
        rd_kafka_header_add(headers, work->header_names[index], -1, work->header_values[index], -1);
    return headers;
}

int raw_floor_kafka_delete_topics(const char *bootstrap, const char *const *names, int32_t count) {
    raw_floor_result result = {0};
    const char *const none[] = {NULL};
    rd_kafka_t *client = raw_floor_client(RD_KAFKA_PRODUCER, bootstrap, none, &result);
    if (client == NULL) return RD_KAFKA_RESP_ERR__FAIL;
    rd_kafka_DeleteTopic_t **topics = calloc((size_t)count, sizeof(*topics));
    for (int32_t index = 0; index < count; index++) topics[index] = rd_kafka_DeleteTopic_new(names[index]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, 15000, NULL, 0);
    rd_kafka_DeleteTopics(client, topics, (size_t)count, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 20000);
    int error = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : (int)rd_kafka_event_error(event);
    if (event != NULL) rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy_array(topics, (size_t)count);
    free(topics);
    raw_floor_free(client);
    return error;
}
