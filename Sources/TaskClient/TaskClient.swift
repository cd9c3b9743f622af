// TaskClient
