// TaskLogSQLite
