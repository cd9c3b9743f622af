// WorkerRole
