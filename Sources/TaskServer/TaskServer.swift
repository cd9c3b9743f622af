// TaskServer
