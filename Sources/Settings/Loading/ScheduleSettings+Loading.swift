internal import TaskModel

extension ScheduleSettings {
    init?(
        id: String, reading reader: inout SectionReader, tasks: [String: TaskSettings], defaults: TaskDefaults,
        queues: Set<String>
    ) {
        let task = reader.required("task", .text)
        let settings = task.flatMap { tasks[$0] }
        let timeZone = reader.value("time_zone", .timeZone)
        let written = Self.trigger(reading: &reader)
        let trigger = written.flatMap { Self.parse($0, timeZone, reader) }
        var spec = ScheduleSpec(
            id: id, task: task ?? "", queue: settings?.queue ?? TopicNames.defaultQueue,
            trigger: trigger ?? .interval(milliseconds: 1000, anchor: nil),
            triggerText: written.map { Self.text($0, timeZone) } ?? "")
        Self.read(&spec, from: &reader, retry: settings?.retry ?? defaults.retry)
        Names.check(spec.queue, among: queues, "queue", reader)
        let isPaused = reader.value("paused", .boolean) ?? false
        guard task != nil, let written, trigger != nil else { return nil }
        // What is wrong with `retry` has been reported where it is written.
        var checked = spec
        checked.retryPolicy = nil
        for problem in checked.problems { reader.report(problem) }
        if case .file(let name, _, _) = reader.location { spec.origin = .file(name) }
        self.init(spec: spec, trigger: written, timeZone: timeZone, isPaused: isPaused, location: reader.location)
    }

    /// All but the trigger.
    private static func read(_ spec: inout ScheduleSpec, from reader: inout SectionReader, retry: RetryPolicy) {
        spec.queue = reader.value("queue", .text) ?? spec.queue
        if let payload = reader.json("payload") {
            spec.payload = payload
            spec.contentType = "application/json"
        }
        spec.catchUp = reader.value("catch_up", .choice) ?? spec.catchUp
        spec.maxAge = reader.value("max_age", .duration(0...100 * Limits.year)) ?? spec.maxAge
        spec.maxCount = reader.value("max_count", .integer(1...ScheduleSpec.maximumCount)) ?? spec.maxCount
        spec.overlap = reader.value("overlap", .choice) ?? spec.overlap
        spec.key = reader.value("key", .text) ?? spec.key
        spec.jitter = reader.value("jitter", .duration(0...Limits.day)) ?? spec.jitter
        spec.start = reader.value("start", .instant)
        spec.end = reader.value("end", .instant)
        spec.expiry = reader.value("expires_after", .duration(1...100 * Limits.year))
        spec.retryPolicy = reader.optionalSection("retry") { RetryPolicy(reading: &$0, over: retry) }
    }

    // MARK: The trigger

    private static func trigger(reading reader: inout SectionReader) -> Trigger? {
        let cron = reader.value("cron", .text).map { Trigger.cron($0) }
        let interval = reader.value("interval", .duration(100...100 * Limits.year)).map { Trigger.interval($0) }
        let at = reader.value("at", .text).map { Trigger.at($0) }
        let written = ["cron", "interval", "at"].filter(reader.has)
        if written.isEmpty { reader.report("has no trigger; give one of `cron`, `interval` and `at`") }
        if written.count > 1 {
            reader.report(written[1], "stands beside `\(written[0])`; a schedule has one trigger")
            return nil
        }
        return cron ?? interval ?? at
    }

    private static func parse(
        _ written: Trigger, _ timeZone: String?, _ reader: SectionReader
    ) -> TaskModel.Trigger? {
        // A zone that was refused has been reported; the trigger could only be refused for the lack of it.
        if reader.has("time_zone") && timeZone == nil { return nil }
        do throws(TriggerError) {
            switch written {
            case .cron(let expression): return try .cron(expression, zone: timeZone ?? "UTC")
            case .at(let text): return try .at(text, zone: timeZone)
            case .interval(let milliseconds):
                if timeZone != nil { reader.report("time_zone", "means nothing beside `interval`") }
                return try .every(milliseconds: milliseconds)
            }
        } catch {
            reader.report(error.field == "timezone" ? "time_zone" : key(of: written), error.message)
            return nil
        }
    }

    private static func key(of trigger: Trigger) -> String {
        switch trigger {
        case .cron: "cron"
        case .interval: "interval"
        case .at: "at"
        }
    }

    /// For people: `0 3 * * * (Europe/Berlin)`, `every 30s`, `at 2027-01-01T09:00:00Z`.
    private static func text(_ trigger: Trigger, _ timeZone: String?) -> String {
        let zone = timeZone.map { " (\($0))" } ?? ""
        return switch trigger {
        case .cron(let expression): expression + zone
        case .interval(let milliseconds): "every " + DurationText.format(.milliseconds(milliseconds))
        case .at(let text): "at \(text)" + zone
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
