// An app imports `Tidemill` and nothing else.
@_exported public import ServiceRuntime
@_exported public import TaskClient
@_exported public import TaskModel
@_exported public import TaskTelemetry
@_exported public import WorkerRole
