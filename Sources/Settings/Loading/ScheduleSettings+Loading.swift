internal import TaskModel

extension ScheduleSettings {
    init?(
        reading reader: inout SectionReader, tasks: [String: TaskSettings], defaults: TaskDefaults, queues: Set<String>
    ) {
        let task = reader.required("task", .text)
        let trigger = Self.trigger(reading: &reader)
        let settings = task.flatMap { tasks[$0] }
        self.init(
            task: task ?? "", trigger: trigger ?? .interval(1),
            queue: reader.value("queue", .text) ?? settings?.queue ?? TopicNames.defaultQueue)
        Names.check(queue, among: queues, "queue", reader)
        timeZone = reader.value("time_zone", .timeZone)
        if let trigger { Self.check(timeZone, with: trigger, reader) }
        payload = reader.json("payload") ?? []
        if payload.count > Self.maximumPayloadBytes {
            reader.report("payload", "is larger than \(ByteSizeText.format(Self.maximumPayloadBytes))")
        }
        catchUp = reader.value("catch_up", .choice) ?? catchUp
        maxAge = reader.value("max_age", .duration(0...100 * Limits.year)) ?? maxAge
        maxCount = reader.value("max_count", .integer(1...10_000)) ?? maxCount
        overlap = reader.value("overlap", .choice) ?? overlap
        key = reader.value("key", .text("a key: 1 to 500 bytes") { (1...500).contains($0.utf8.count) })
        jitter = reader.value("jitter", .duration(0...Limits.day)) ?? jitter
        start = reader.value("start", .instant)
        end = reader.value("end", .instant)
        if let start, let end, end < start { reader.report("end", "is before `start`") }
        expiresAfter = reader.value("expires_after", .duration(1...100 * Limits.year))
        let base = settings?.retry ?? defaults.retry
        retry = reader.optionalSection("retry") { RetryPolicy(reading: &$0, over: base) }
        isPaused = reader.value("paused", .boolean) ?? false
        location = reader.location
        guard task != nil, trigger != nil else { return nil }
    }

    private static let maximumPayloadBytes = 256 << 10

    private static func trigger(reading reader: inout SectionReader) -> Trigger? {
        let cron = reader.value("cron", .text).map { Trigger.cron($0) }
        let interval = reader.value("interval", .duration(100...100 * Limits.year)).map { Trigger.interval($0) }
        let at = reader.value("at", .moment).map { Trigger.at($0) }
        let written = ["cron", "interval", "at"].filter(reader.has)
        if written.isEmpty { reader.report("has no trigger; give one of `cron`, `interval` and `at`") }
        if written.count > 1 {
            reader.report(written[1], "stands beside `\(written[0])`; a schedule has one trigger")
        }
        return cron ?? interval ?? at
    }

    private static func check(_ timeZone: String?, with trigger: Trigger, _ reader: SectionReader) {
        switch trigger {
        case .cron: break
        case .interval: if timeZone != nil { reader.report("time_zone", "means nothing beside `interval`") }
        case .at(let text):
            let hasOffset = Timestamp(rfc3339: text) != nil
            if hasOffset && timeZone != nil {
                reader.report("time_zone", "stands beside a time that has its own offset; leave one of them out")
            } else if !hasOffset && timeZone == nil && !reader.has("time_zone") {
                reader.report("at", "`\(text)` has no offset; add Z, an offset such as +01:00, or a `time_zone`")
            }
        }
    }
}

extension ScalarSyntax where Value == String {
    /// RFC 3339, or a local date and time with or without seconds.
    fileprivate static var moment: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            let isLocal = Timestamp(rfc3339: text + "Z") != nil || Timestamp(rfc3339: text + ":00Z") != nil
            guard isLocal || Timestamp(rfc3339: text) != nil else {
                throw TextError("is not a time such as 2027-01-01T09:00:00Z, or 2027-01-01T09:00 with a time zone")
            }
            return text
        }
    }
}

extension ScalarSyntax where Value == Timestamp {
    fileprivate static var instant: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard let time = Timestamp(rfc3339: text) else {
                throw TextError("is not an RFC 3339 time such as 2027-01-01T09:00:00Z")
            }
            return time
        }
    }
}
