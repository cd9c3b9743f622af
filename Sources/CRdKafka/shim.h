// Only wraps what Swift cannot call. The mock cluster is librdkafka's own test broker.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
