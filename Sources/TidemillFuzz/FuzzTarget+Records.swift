import TaskModel

extension FuzzTarget {
    /// A record of a due topic: binary and structured CloudEvents, and the short form.
    static let event = records("event", "event-") { body in
        let event: TaskEvent
        do {
            event = try TaskEvent(key: body.key, value: body.value, headers: body.headers, place: fuzzPlace)
        } catch { return nil }
        let again = event.encoded()
        let second = try? TaskEvent(key: again.key, value: again.value, headers: again.headers, place: fuzzPlace)
        return second == event
    }

    static let waiting = records("waiting", "retry-") { body in
        _ = RetryKey(body.key)
        let value: WaitingEvent
        do {
            value = try WaitingEvent(key: body.key, value: body.value, headers: body.headers, place: fuzzPlace)
        } catch { return nil }
        _ = value.dueTime(recordedAt: .distantFuture)
        let again = value.encoded()
        let second = try? WaitingEvent(key: again.key, value: again.value, headers: again.headers, place: fuzzPlace)
        return second == value
    }

    static let dead = records("dead", "dead-") { body in
        let value: DeadTopicRecord
        do {
            value = try DeadTopicRecord(key: body.key, value: body.value, headers: body.headers, place: fuzzPlace)
        } catch { return nil }
        let again = value.encoded()
        let second = try? DeadTopicRecord(key: again.key, value: again.value, headers: again.headers, place: fuzzPlace)
        return second == value
    }

    static let commands = records("commands", "command-") { body in
        let value: CommandsTopicRecord
        do {
            value = try CommandsTopicRecord(key: body.key, value: body.value, headers: body.headers)
        } catch { return nil }
        if case .command(let command) = value { _ = command.problems }
        let again = value.encoded()
        return (try? CommandsTopicRecord(key: again.key, value: again.value, headers: again.headers)) == value
    }

    static let schedules = records("schedules", "schedule-") { body in
        _ = SchedulesTopicRecord.writer(in: body.headers)
        let value: SchedulesTopicRecord
        do {
            value = try SchedulesTopicRecord(key: body.key, value: body.value)
        } catch { return nil }
        let again = value.encoded(by: ScheduleWriter(epoch: 1, name: "fuzz"))
        guard case .definition(let definition) = value else {
            return (try? SchedulesTopicRecord(key: again.key, value: again.value)) == value
        }
        // A scheduler asks an accepted spec for its next time at once.
        if definition.spec.problems.isEmpty { _ = definition.spec.trigger.next(after: definition.createdAt) }
        return (try? SchedulesTopicRecord(key: again.key, value: again.value)) == value
    }

    static let journal = records("journal", "journal-") { body in
        let value: JournalEntry
        do {
            value = try JournalEntry(key: body.key, value: body.value)
        } catch { return nil }
        let again = value.encoded()
        return (try? JournalEntry(key: again.key, value: again.value)) == value
    }

    /// The block in which the embedded engine keeps a record's headers.
    static let headers = FuzzTarget(name: "headers") {
        try SampleRecords.named("").map(\.headers.block)
    } run: { bytes throws(FuzzFinding) in
        guard let headers = RecordHeaders(block: bytes) else { return .refused }
        let list = Array(headers)
        try FuzzFinding.require(headers.count == list.count, "it counts others than it lists")
        try FuzzFinding.require(
            Array(RecordHeaders(list)) == list, "what was read is not read the same after it was written")
        var odd = 0
        headers.forEachPart { name, _, _ in odd += name.count % 2 }
        var left = 0
        let others = headers.removing { $0.count % 2 == 0 }
        others.forEachPart { name, _, _ in left += name.count % 2 }
        try FuzzFinding.require(left == odd && others.count == odd, "others are left than were to be left")
        // Each search reads the whole block.
        for header in list.prefix(50) {
            let last = headers.last(named: header.name)
            try FuzzFinding.require(
                last == list.last { $0.name.utf8.elementsEqual(header.name.utf8) }
                    || header.name.unicodeScalars.contains("\u{FFFD}"),
                "the last of a name is not the last in the list")
        }
        return .read
    }

    /// The golden samples of `schemas/samples` whose names begin so. `read`: whether what was read is written readably; nil
    /// when the record was refused.
    private static func records(
        _ name: String, _ samples: String, _ read: @escaping @Sendable (RecordBody) -> Bool?
    ) -> FuzzTarget {
        FuzzTarget(name: name) {
            try SampleRecords.named(samples).map { RecordFrame($0).bytes }
        } run: { bytes throws(FuzzFinding) in
            guard let isStable = read(RecordFrame(bytes).body) else { return .refused }
            try FuzzFinding.require(isStable, "what was read is not read the same after it was written")
            return .read
        }.withRecords
    }

    private var withRecords: FuzzTarget {
        var target = self
        target.isRecord = true
        return target
    }
}
