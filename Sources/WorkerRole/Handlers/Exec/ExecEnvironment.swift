internal import TaskModel

/// The environment of a child process. Pure.
enum ExecEnvironment {
    /// Exactly the variables that the process gets. From weak to strong: names inherited from `own`, configured values,
    /// the event's attributes. An attribute that the event does not have is not set, whatever the others say.
    ///
    /// Fails the event when an attribute holds a NUL character, because no variable can carry it.
    static func variables(
        for context: TaskContext, configuration: ExecConfiguration, own: [String: String]
    ) throws(TaskFailure) -> [String: String] {
        var variables = own.filter { configuration.inherit.contains($0.key) }
        variables.merge(configuration.environment) { _, configured in configured }
        for (name, value) in attributes(of: context) {
            if let value, ExecConfiguration.hasNUL(value) {
                throw .fail(code: "exec-environment", "\(name) cannot be set: the value contains a NUL character")
            }
            variables[name] = value
        }
        return variables
    }

    /// Instants are RFC 3339 in UTC.
    private static func attributes(of context: TaskContext) -> [(name: String, value: String?)] {
        let event = context.event
        return [
            ("TIDEMILL_TASK", event.task),
            ("TIDEMILL_QUEUE", context.queue),
            ("TIDEMILL_ID", event.id),
            ("TIDEMILL_SOURCE", event.source),
            ("TIDEMILL_CONTENT_TYPE", event.contentType),
            ("TIDEMILL_FINGERPRINT", event.fingerprint.hex),
            ("TIDEMILL_IDEMPOTENCY_KEY", context.idempotencyKey),
            ("TIDEMILL_REPLAY", String(event.replay)),
            ("TIDEMILL_TURN", String(event.turn)),
            ("TIDEMILL_ATTEMPT", String(event.attempt)),
            ("TIDEMILL_FENCING_TOKEN", context.fencingToken.description),
            ("TIDEMILL_WORKER", context.worker),
            ("TIDEMILL_PARTITION_KEY", event.partitionKey),
            ("TIDEMILL_SCHEDULE_ID", event.scheduleID),
            ("TIDEMILL_NOMINAL_TIME", event.nominalTime?.rfc3339),
            ("TIDEMILL_STANDS_FOR", String(event.standsFor)),
            ("TIDEMILL_DUE_AT", event.dueAt?.rfc3339),
            ("TIDEMILL_EXPIRES_AT", event.expiresAt?.rfc3339),
            ("TIDEMILL_DEADLINE", context.deadline.rfc3339),
            ("TRACEPARENT", event.traceParent),
        ]
    }
}
