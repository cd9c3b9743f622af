/// The events that schedules make, for whoever makes them: the scheduler, or a backfill.
public enum FireMaker {
    /// The CloudEvents `source` of what a schedule makes in time.
    public static let source = "tidemill/scheduler"

    /// The event of a nominal time: the same for whoever makes it, apart from `publishedAt`.
    public static func event(
        of spec: ScheduleSpec, nominal: Timestamp, due: Timestamp, standsFor: Int, now: Timestamp
    ) -> TaskEvent {
        template(
            spec, id: "\(spec.id)@\(nominal.rfc3339)", payload: spec.payload, due: due, now: now,
            fingerprint: Fingerprint(.scheduled(scheduleID: spec.id, nominalTime: nominal))
        ) {
            $0.nominalTime = nominal
            $0.standsFor = UInt32(clamping: standsFor)
            $0.expiresAt = spec.expiry.map { nominal + $0 }
        }
    }

    /// The event of a manual trigger, identified by its command.
    public static func event(
        of spec: ScheduleSpec, command: ScheduleCommand, payload: [UInt8]?, due: Timestamp, now: Timestamp
    ) -> TaskEvent {
        template(
            spec, id: "\(spec.id)@\(command.id)", payload: payload ?? spec.payload, due: due, now: now,
            fingerprint: command.triggeredFingerprint(task: spec.task)
        ) { $0.expiresAt = spec.expiry.map { due + $0 } }
    }

    private static func template(
        _ spec: ScheduleSpec, id: String, payload: [UInt8], due: Timestamp, now: Timestamp, fingerprint: Fingerprint,
        _ more: (inout RareAttributes) -> Void
    ) -> TaskEvent {
        var event = TaskEvent(
            id: id, source: source, task: spec.task, payload: payload, contentType: spec.contentType,
            fingerprint: fingerprint)
        event.publishedAt = now
        event.dueAt = due
        var rare = RareAttributes()
        rare.partitionKey = spec.key
        rare.scheduleID = spec.id
        rare.overlap = spec.overlap
        rare.overlapLimit = spec.overlapLimit
        rare.pausesOnFailure = spec.pausesOnFailure
        rare.retryPolicy = spec.retryPolicy
        more(&rare)
        event.rareAttributes = rare
        return event
    }
}
