import TaskModel
import TidemillHarness

/// Schedules that fire each second, spread evenly over it: how late their events start, and whether one is missed.
enum Schedules {
    private static let interval: Int64 = 1000

    static func run(_ session: BenchSession) async throws -> Findings {
        let count = session.events(quick: 1000, full: 14_500)
        let seconds = session.size(quick: 5, full: 30)
        let (comparison, bucket, uses) = try await Stage.with(session) { stage in
            let scheduler = try await stage.startReadyScheduler()
            let workers = try await stage.startReadyWorkers()
            try await stage.warmUp()
            // Time to write all of them down.
            let lead = Int64(3000 + count * 3)
            let first = Timestamp(milliseconds: (BenchClock.wall() / 1_000_000 + lead) / interval * interval)
            let specs = try (0..<count).map { try spec($0, of: count, first: first, seconds: seconds) }
            session.progress("writing \(count) schedules that begin in \(lead) ms")
            for start in stride(from: 0, to: count, by: 1000) {
                try await put(specs[start..<min(count, start + 1000)], stage)
            }
            guard BenchClock.wall() / 1_000_000 < first.milliseconds else {
                throw HarnessFailure("writing the schedules took longer than \(lead) ms")
            }
            session.progress("\(count) fires a second for \(seconds) s")
            try await sleep(until: first)
            var meter = UseMeter(session, scheduler: scheduler, workers: workers)
            try await sleep(until: first + Int64(seconds) * interval)
            // What is missing after this is missed: the figures say so.
            let brokers = (try? await stage.waitForEnds(count * seconds, patience: 5)) ?? session.brokerReading()
            meter.pause(brokers: brokers)
            try stage.checkAlive()
            let fires = count * seconds
            let uses = meter.uses(tasks: fires)
            let summaries = try await stage.stop(workers)
            let wanted = nominalTimes(count, first: first, seconds: seconds)
            return (FireComparison(wanted: wanted, seen: summaries.map(\.nominal)), summaries.merged(0), uses)
        }
        var findings = Findings(settings: ["schedules": "\(count)", "seconds": "\(seconds)"])
        findings.metrics = [
            Metric("fires of \(count) schedules each second, lateness p50/p95/p99/max", Spread(bucket.toStart)),
            Metric("fires", Double(comparison.fired) / Double(seconds), "/s"),
            Metric("missed", Double(comparison.missed), ""),
        ]
        findings.processes = uses
        if comparison.doubled > 0 { findings.violations.append("\(comparison.doubled) fires too many") }
        if bucket.early > 0 { findings.violations.append("\(bucket.early) fires before their time") }
        return findings
    }

    /// The offset of a schedule's fires in each second.
    private static func phase(_ index: Int, of count: Int) -> Int64 { Int64(index) * interval / Int64(count) }

    private static func spec(
        _ index: Int, of count: Int, first: Timestamp, seconds: Int
    ) throws -> ScheduleSpec {
        var work = WorkOrder()
        work.clock = .nominal
        let anchor = first + phase(index, of: count)
        return ScheduleSpec(
            id: "bench-\(index)", task: BenchPlace.task, trigger: try .every(milliseconds: interval, anchor: anchor),
            payload: work.payload(WorkOrder.byteCount), contentType: "application/octet-stream", start: first,
            end: first + Int64(seconds) * interval - 1)
    }

    /// How many fires each instant is to have.
    private static func nominalTimes(_ count: Int, first: Timestamp, seconds: Int) -> [Int64: Int] {
        var wanted: [Int64: Int] = [:]
        for second in 0..<Int64(seconds) {
            for index in 0..<count {
                wanted[first.milliseconds + second * interval + phase(index, of: count), default: 0] += 1
            }
        }
        return wanted
    }

    private static func put(_ specs: ArraySlice<ScheduleSpec>, _ stage: Stage) async throws {
        let commands = specs.map {
            ScheduleCommand(id: "put-\($0.id)", scheduleID: $0.id, kind: .put($0), author: "bench")
        }
        let replies = try await stage.client.send(commands, timeout: 60_000)
        guard replies.allSatisfy({ if case .applied = $0 { true } else { false } }) else {
            throw HarnessFailure("the scheduler does not take all schedules")
        }
    }

    private static func sleep(until time: Timestamp) async throws {
        let left = time.milliseconds - BenchClock.wall() / 1_000_000
        if left > 0 { try await Task.sleep(for: .milliseconds(left)) }
    }
}
