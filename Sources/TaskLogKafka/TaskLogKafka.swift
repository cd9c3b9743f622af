// TaskLogKafka
