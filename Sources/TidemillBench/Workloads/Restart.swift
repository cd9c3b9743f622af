import TaskLog
import TaskModel
import TidemillHarness

/// One scheduler process with many schedules and many events that wait: how long it takes to start again, and what it
/// holds in memory then.
enum Restart {
    private static let day: Int64 = 86_400_000

    static func run(_ session: BenchSession) async throws -> Findings {
        let events = session.events(quick: 50_000, full: 1_000_000)
        let schedules = max(1, events / 10)
        let (written, seconds, use) = try await Stage.with(session) { stage in
            let first = try await stage.startReadyScheduler()
            session.progress("writing \(schedules) schedules")
            let begin = BenchClock.monotonic()
            for start in stride(from: 0, to: schedules, by: 1000) {
                try await put(start..<min(schedules, start + 1000), stage)
            }
            let written = Double(schedules) * 1e9 / Double(BenchClock.monotonic() - begin)
            first.stop()
            try await first.waitForEnd(milliseconds: 60_000)
            session.progress("publishing \(events) events that are due tomorrow")
            var order = PublishOrder(
                place: stage.place, manner: .batch(size: 2500, callers: 4), events: events,
                payloadBytes: session.arguments.payloadBytes)
            order.start = .at(BenchClock.wall() / 1_000_000 + day)
            _ = try await stage.publish(order, atMost: 1800)
            session.progress("starting the scheduler again")
            let (second, seconds) = try await restarted(stage)
            return (written, seconds, second.reading)
        }
        var findings = Findings(settings: ["schedules": "\(schedules)", "events": "\(events)"])
        findings.metrics = [
            Metric("schedules written", written, "/s"),
            Metric("restart with \(schedules) schedules and \(events) waiting events", seconds, "s"),
        ]
        if let use {
            findings.metrics.append(Metric("memory of the restarted scheduler, peak", use.peakKibibytes / 1024, "MiB"))
        }
        findings.processes = [ProcessUse("scheduler, restart", use, tasks: schedules + events)]
        return findings
    }

    /// None of them fires while it is measured.
    private static func put(_ numbers: Range<Int>, _ stage: Stage) async throws {
        let anchor = Timestamp(milliseconds: BenchClock.wall() / 1_000_000 + day)
        let commands = try numbers.map { number in
            let spec = ScheduleSpec(
                id: "bench-\(number)", task: BenchPlace.task,
                trigger: try .every(milliseconds: 60_000, anchor: anchor + Int64(number)), payload: [0x7b, 0x7d])
            return ScheduleCommand(id: "put-\(spec.id)", scheduleID: spec.id, kind: .put(spec), author: "bench")
        }
        let replies = try await stage.client.send(commands, timeout: 120_000)
        guard replies.allSatisfy({ if case .applied = $0 { true } else { false } }) else {
            throw HarnessFailure("the scheduler does not take all schedules")
        }
    }

    /// Starts a scheduler and waits until its journal says that it has restored every partition.
    private static func restarted(_ stage: Stage) async throws -> (BenchChild, seconds: Double) {
        let topics = try await stage.log.describe(topics: [stage.names.commands, stage.names.retry])
        let wanted = topics.reduce(0) { $0 + Int($1.partitions) }
        var journal: [TopicPartition] = []
        for topic in try await stage.log.describe(topics: [stage.names.journal]) {
            journal += (0..<topic.partitions).map { TopicPartition(topic.name, $0) }
        }
        let follower = try await stage.log.follow(try await stage.log.bounds(of: journal).mapValues(\.end))
        let begin = BenchClock.monotonic()
        let scheduler = try stage.start(.scheduler, stage.place, name: "scheduler")
        let end = try await withThrowingTaskGroup(of: Int64?.self) { group in
            group.addTask {
                var restored = 0
                while restored < wanted, let records = try await follower.next() {
                    restored += records.count { JournalEntry.kind(in: $0.headers) == .restored }
                }
                return restored < wanted ? nil : BenchClock.monotonic()
            }
            group.addTask {
                try await Task.sleep(for: .seconds(600))
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            await follower.close()
            return first
        }
        guard let end else { throw HarnessFailure("the scheduler was not ready within 600 s") }
        return (scheduler, Double(end - begin) / 1e9)
    }
}
