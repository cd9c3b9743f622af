// An app imports `Tidemill` and nothing else.
@_exported import ServiceRuntime
@_exported import TaskClient
@_exported import TaskModel
@_exported import TaskTelemetry
@_exported import WorkerRole
