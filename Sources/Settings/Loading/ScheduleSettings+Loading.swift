internal import TaskModel

extension ScheduleSettings {
    init?(
        id: String, reading reader: inout SectionReader, tasks: [String: TaskSettings], defaults: TaskDefaults,
        queues: Set<String>
    ) {
        let task = reader.required("task", .text)
        let settings = task.flatMap { tasks[$0] }
        let timeZone = reader.has("time_zone") ? reader.text("time_zone") : nil
        let read = TriggerLoading(spread: id).read(&reader)
        let written = Self.written(reader)
        var spec = ScheduleSpec(
            id: id, task: task ?? "", queue: settings?.queue ?? TopicNames.defaultQueue,
            trigger: read?.trigger ?? .never, triggerText: read?.text ?? "")
        Self.read(&spec, from: &reader, retry: settings?.retry ?? defaults.retry)
        Names.check(spec.queue, among: queues, "queue", reader)
        let isPaused = reader.value("paused", .boolean) ?? false
        guard task != nil, read != nil else { return nil }
        // What is wrong with `retry` has been reported where it is written.
        var checked = spec
        checked.retryPolicy = nil
        for problem in checked.problems { reader.report(problem) }
        if case .file(let name, _, _) = reader.location { spec.origin = .file(name) }
        self.init(
            spec: spec, trigger: written, timeZone: timeZone, more: Self.more(reading: &reader), isPaused: isPaused,
            location: reader.location)
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
        spec.catchUpSpacing = reader.value("catch_up_spacing", .duration(0...3_600_000)) ?? spec.catchUpSpacing
        spec.maxRuns = reader.value("max_runs", .integer(1...Int(Int32.max)))
        spec.overlap = reader.value("overlap", .choice) ?? spec.overlap
        spec.maxInstances = reader.value("max_instances", .integer(1...Int(OverlapRule.maximumInstances)))
        spec.maxBuffered = reader.value("max_buffered", .integer(1...Int(OverlapRule.maximumBuffered)))
        spec.pausesOnFailure = reader.value("pause_on_failure", .boolean) ?? spec.pausesOnFailure
        spec.key = reader.value("key", .text) ?? spec.key
        spec.jitter = reader.value("jitter", .duration(0...Limits.day)) ?? spec.jitter
        spec.start = reader.value("start", .instant)
        spec.end = reader.value("end", .instant)
        spec.expiry = reader.value("expires_after", .duration(1...100 * Limits.year))
        spec.retryPolicy = reader.optionalSection("retry") { RetryPolicy(reading: &$0, over: retry) }
    }

    // MARK: The trigger as it is written

    private static func written(_ reader: SectionReader) -> Trigger {
        if let text = reader.text("cron") { return .cron(text) }
        if let text = reader.text("at") { return .at(text) }
        if let text = reader.text("interval"), let length = try? DurationText.parseMilliseconds(text) {
            return .interval(length)
        }
        return .composed
    }

    /// The other keys of the trigger, as JSON.
    private static func more(reading reader: inout SectionReader) -> [String: String] {
        var more: [String: String] = [:]
        for key in TriggerLoading.shownAsJSON where reader.has(key) {
            let isText = ["cron", "interval"].contains(key) && reader.text(key) != nil
            if !isText { more[key] = reader.json(key).map { String(decoding: $0, as: UTF8.self) } }
        }
        return more
    }
}
