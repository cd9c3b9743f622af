import Foundation
import ServiceRuntime
import Synchronization
import TaskClient
import TaskLog
import TaskModel
import TaskTelemetry
import Tidemill
import TidemillHarness

struct PublishOrder: Codable, Sendable {
    enum Manner: Codable, Sendable {
        /// One event a call, so many calls at once.
        case single(inFlight: Int)
        /// Calls of so many events, from so many tasks at once.
        case batch(size: Int, callers: Int)
        /// At a rate a second, whatever becomes of the calls; measured against the planned time.
        case openLoop(rate: Double)
        /// Batches for so long, never more than `backlog` ahead of the workers.
        case steady(batch: Int, seconds: Int, backlog: Int)
    }

    enum Start: Codable, Sendable {
        case now
        case after(milliseconds: Int64)
        /// Milliseconds of wall time; measured against it.
        case at(Int64)
    }

    var place: BenchPlace
    var manner: Manner
    var events: Int
    var payloadBytes: Int
    var start = Start.now
    var bucket: UInt8 = 0
    /// Of a thousand events, so many fail at their first attempt.
    var failsOnce = 0
    var sleepMilliseconds: UInt32 = 0
    /// Idempotency keys repeat after so many events.
    var distinct: Int?
}

/// Publishes through the library, as an app would, in a process of its own.
enum PublisherProcess {
    static func run(_ order: PublishOrder) async throws -> Int32 {
        RoleProcess.endWithParent()
        let logger = Logger(level: .warning, sink: JSONLogSink())
        let installation = try await Installation.open(order.place.configuration(id: "publisher"), logger: logger)
        let publisher = Publisher(client: installation.client, order: order)
        try await publisher.connect()
        let before = ProcessReading.own()
        let outcome = await publisher.run(installation.log)
        var use = ProcessReading.own()
        use.cpuMicroseconds -= before.cpuMicroseconds
        await installation.log.close()
        try ChildLine.write(
            summary: PublishSummary(
                accepted: outcome.accepted, nanoseconds: outcome.nanoseconds, problem: outcome.problem, use: use))
        return 0
    }
}

private final class Publisher: Sendable {
    struct Outcome: Sendable {
        var accepted = 0
        var nanoseconds: Int64 = 0
        var problem: String?
    }

    private let client: TaskClient
    private let order: PublishOrder
    private let outcome = Mutex(Outcome())
    private let next = Atomic<Int>(0)
    /// Calls of the open loop that have returned.
    private let finished = Atomic<Int>(0)

    init(client: TaskClient, order: PublishOrder) {
        self.client = client
        self.order = order
    }

    /// One event ahead of the clock, the same for all publishers and never counted: topics are known, connections are up.
    func connect() async throws {
        var request = PublishRequest(task: BenchPlace.task, payload: WorkOrder().payload(WorkOrder.byteCount))
        request.identity = .fingerprint(BenchPlace.firstEvent)
        _ = try await client.publish(request)
    }

    func run(_ log: any TaskLog) async -> Outcome {
        let start = BenchClock.monotonic()
        switch order.manner {
        case .single(let inFlight): await callers(inFlight) { await self.publishOne() }
        case .batch(let size, let callers): await self.callers(callers) { await self.publishBatch(size) }
        case .openLoop(let rate): await openLoop(rate)
        case .steady(let batch, let seconds, let backlog):
            await steady(log, batch: batch, until: start + Int64(seconds) * 1_000_000_000, backlog: backlog)
        }
        return outcome.withLock { outcome in
            outcome.nanoseconds = BenchClock.monotonic() - start
            return outcome
        }
    }

    private func callers(_ count: Int, _ call: @escaping @Sendable () async -> Bool) async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<count { group.addTask { while await call() {} } }
        }
    }

    /// False when there is nothing left to publish.
    private func publishOne() async -> Bool {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < order.events else { return false }
        await publish(index, reference: nil)
        return true
    }

    private func publish(_ index: Int, reference: Int64?) async {
        do throws(ClientError) {
            _ = try await client.publish(request(index, reference: reference))
            count(1, nil)
        } catch {
            count(0, error.message)
        }
    }

    private func publishBatch(_ size: Int) async -> Bool {
        let first = next.add(size, ordering: .relaxed).oldValue
        guard first < order.events else { return false }
        await publish(first..<min(order.events, first + size))
        return true
    }

    private func publish(_ indices: Range<Int>) async {
        let results = await client.publish(indices.map { request($0, reference: nil) })
        var accepted = 0
        var problem: String?
        for result in results {
            switch result {
            case .success: accepted += 1
            case .failure(let error): problem = error.message
            }
        }
        count(accepted, problem)
    }

    private func count(_ accepted: Int, _ problem: String?) {
        outcome.withLock { outcome in
            outcome.accepted += accepted
            outcome.problem = outcome.problem ?? problem
        }
    }

    /// The pace is kept by a thread: a late timer must not count as a late log.
    private func openLoop(_ rate: Double) async {
        let done = OneShot()
        let start = BenchClock.monotonic() + 10_000_000
        Thread.detachNewThread {
            for index in 0..<self.order.events {
                let planned = start + Int64(Double(index) * 1e9 / rate)
                BenchClock.block(until: planned)
                Task {
                    await self.publish(index, reference: planned)
                    let isLast = self.finished.add(1, ordering: .relaxed).newValue == self.order.events
                    if isLast { done.fire() }
                }
            }
        }
        await done.wait()
    }

    private func steady(_ log: any TaskLog, batch: Int, until end: Int64, backlog: Int) async {
        let names = client.names
        let partitions = (0..<Int32(order.place.partitions)).flatMap {
            [
                TopicPartition(names.due(TopicNames.defaultQueue), $0),
                TopicPartition(names.ledger(TopicNames.defaultQueue), $0),
            ]
        }
        var first = 0
        while BenchClock.monotonic() < end {
            let bounds = (try? await log.bounds(of: partitions)) ?? [:]
            let ahead = bounds.reduce(0) {
                $0 + ($1.key.topic == names.due(TopicNames.defaultQueue) ? $1.value.end : -$1.value.end)
            }
            guard ahead + Int64(batch) <= Int64(backlog) else {
                try? await Task.sleep(for: .milliseconds(5))
                continue
            }
            await publish(first..<(first + batch))
            first += batch
        }
    }

    private func request(_ index: Int, reference: Int64?) -> PublishRequest {
        var work = WorkOrder()
        work.bucket = order.bucket
        work.failsOnce = index % 1000 < order.failsOnce
        work.sleepMilliseconds = order.sleepMilliseconds
        if work.failsOnce { work.clock = .due }
        if let reference {
            work.clock = .monotonic
            work.reference = reference
        }
        switch order.start {
        case .now: break
        case .after: work.clock = .due
        case .at(let milliseconds):
            work.clock = .wall
            work.reference = milliseconds * 1_000_000
        }
        var request = PublishRequest(
            task: BenchPlace.task, payload: work.payload(order.payloadBytes), contentType: "application/octet-stream")
        switch order.start {
        case .now: break
        case .after(let milliseconds): request.start = .after(milliseconds: milliseconds)
        case .at(let milliseconds): request.start = .at(Timestamp(milliseconds: milliseconds))
        }
        if let distinct = order.distinct { request.identity = .idempotencyKey("key-\(index % distinct)") }
        return request
    }
}
