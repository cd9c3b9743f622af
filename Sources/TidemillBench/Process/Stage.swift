import CRawFloor
import Foundation
import Synchronization
import TaskClient
import TaskLog
import TaskModel
import TaskTelemetry
import Tidemill
import TidemillHarness

/// A log of its own for one part of a workload, and the processes on it. Nothing of it is left afterwards.
final class Stage: Sendable {
    let place: BenchPlace
    let session: BenchSession
    private let installation: Installation
    private let children = Mutex<[BenchChild]>([])
    private let ownTopics = Mutex<[String]>([])
    /// Events that ended before anything was measured.
    private let warmUps = Mutex(0)

    var client: TaskClient { installation.client }
    var log: any TaskLog { installation.log }
    var names: TopicNames { installation.configuration.topicPlan.names }

    private init(_ session: BenchSession, _ place: BenchPlace, _ installation: Installation) {
        self.session = session
        self.place = place
        self.installation = installation
    }

    static func with<Value: Sendable>(
        _ session: BenchSession, concurrency: Int? = nil, partitions: Int? = nil,
        _ body: (Stage) async throws -> Value
    ) async throws -> Value {
        let place = try session.makePlace(concurrency: concurrency, partitions: partitions)
        let logger = Logger(level: .warning, sink: TextLogSink())
        let installation = try await Installation.open(place.configuration(id: "bench"), logger: logger)
        let stage = Stage(session, place, installation)
        let result: Result<Value, any Error>
        do {
            try await installation.ensureTopics()
            result = .success(try await body(stage))
        } catch {
            result = .failure(error)
        }
        await stage.end()
        return try result.get()
    }

    private func end() async {
        let children = children.withLock(\.self)
        for child in children { child.kill() }
        for child in children { try? await child.waitForEnd(milliseconds: 5000) }
        await log.close()
        if case .kafka(let bootstrap) = place.engine {
            let topics = installation.configuration.topicPlan.specs.map(\.name) + ownTopics.withLock(\.self)
            let names = topics.map { strdup($0) }
            defer { for name in names { free(name) } }
            let pointers = names.map { UnsafePointer<CChar>($0) }
            if raw_floor_kafka_delete_topics(bootstrap, pointers, Int32(pointers.count)) != 0 {
                BenchProgram.note("topics \(place.prefix)* could not be deleted")
            }
        }
        try? FileManager.default.removeItem(atPath: place.folder)
    }

    // MARK: Processes

    @discardableResult
    func start(_ role: RoleName, _ order: some Encodable, name: String) throws -> BenchChild {
        let number = children.withLock(\.count) + 1
        let child = try BenchChild(role, order, name: "\(name)-\(number)", folder: place.folder)
        children.withLock { $0.append(child) }
        return child
    }

    /// Workers, as many as the settings say.
    func startWorkers(_ count: Int? = nil, isObserved: Bool = false) throws -> [BenchChild] {
        try (1...(count ?? session.arguments.workers)).map { number in
            let order = WorkerOrder(place: place, id: "worker\(number)", isObserved: isObserved)
            return try start(.worker, order, name: "worker")
        }
    }

    /// Observed workers that own all partitions.
    func startReadyWorkers() async throws -> [BenchChild] {
        let workers = try startWorkers(isObserved: true)
        let end = BenchClock.monotonic() + 60_000_000_000
        while openPartitions(workers).count < place.partitions {
            guard BenchClock.monotonic() < end else { throw HarnessFailure("the workers do not open their partitions") }
            try await Task.sleep(for: .milliseconds(20))
        }
        return workers
    }

    /// Has each partition of the queue and of its ledger take events, which ``waitForEnds(_:patience:)`` leaves out.
    ///
    /// A broker first touches the two index files of a segment at the append after `index.interval.bytes` (4096). On a
    /// disk that reads ahead by megabytes that takes 8 ms a file, once in the life of a segment: it is not to be taken
    /// for the latency of the rest.
    func warmUp() async throws {
        session.progress("warming up")
        let order = PublishOrder(
            place: place, manner: .batch(size: 500, callers: 1), events: 64 * place.partitions,
            payloadBytes: session.arguments.payloadBytes)
        for _ in 1...3 {
            let accepted = try await publish(order).accepted
            warmUps.withLock { $0 += accepted }
            try await waitForEnds(0)
        }
    }

    /// The same before the workers of the measurement are there: others do it.
    func warmUpAlone() async throws {
        let workers = try await startReadyWorkers()
        try await warmUp()
        _ = try await stop(workers)
    }

    var warmUpCount: Int { warmUps.withLock(\.self) }

    private func openPartitions(_ workers: [BenchChild]) -> Set<String> {
        let lines = workers.flatMap { $0.said(ChildLine.opened) }
        return Set(lines.compactMap { line in line.split(separator: " ").last.map { String($0) } })
    }

    /// A scheduler that has answered.
    @discardableResult
    func startReadyScheduler() async throws -> BenchChild {
        let scheduler = try start(.scheduler, place, name: "scheduler")
        let trigger = Trigger.at(.distantFuture - 1)
        // One on every partition of `commands`, so that all are owned.
        let commands = (0..<32).map { index in
            ScheduleCommand(
                id: "ready-\(index)", scheduleID: "ready-\(index)",
                kind: .put(ScheduleSpec(id: "ready-\(index)", task: BenchPlace.task, trigger: trigger)), author: "bench"
            )
        }
        let replies = try await client.send(commands, timeout: 60_000)
        guard replies.allSatisfy({ if case .applied = $0 { true } else { false } }) else {
            throw HarnessFailure("the scheduler does not answer: \(replies.first.map { "\($0)" } ?? "")")
        }
        return scheduler
    }

    /// SIGTERM for all; their summaries.
    func stop(_ workers: [BenchChild]) async throws -> [WorkerSummary] {
        for worker in workers { worker.stop() }
        var summaries: [WorkerSummary] = []
        for worker in workers {
            summaries.append(try await worker.summary(of: WorkerSummary.self, milliseconds: 60_000))
        }
        return summaries
    }

    /// Fails when a process died: its figures would be those of the others.
    func checkAlive() throws {
        let dead = children.withLock(\.self).filter(\.hasDied)
        guard dead.isEmpty else { throw HarnessFailure("died" + dead.map(\.lastWords).joined()) }
    }

    /// Of the processes that still run: their logs go with the stage.
    var lastWords: String { children.withLock(\.self).map(\.lastWords).joined() }

    func publish(_ order: PublishOrder, atMost seconds: Int = 600) async throws -> PublishSummary {
        let summary = try await start(.publisher, order, name: "publisher")
            .summary(of: PublishSummary.self, milliseconds: Int64(seconds) * 1000)
        if let problem = summary.problem { throw HarnessFailure("publishing: \(problem)") }
        return summary
    }

    /// Fills the queue with events that do nothing.
    func preload(_ events: Int, sleepMilliseconds: UInt32 = 0) async throws {
        session.progress("preloading \(events) events")
        var order = PublishOrder(
            place: place, manner: .batch(size: 2500, callers: 4), events: events,
            payloadBytes: session.arguments.payloadBytes)
        order.sleepMilliseconds = sleepMilliseconds
        let summary = try await publish(order)
        guard summary.accepted == events else {
            throw HarnessFailure("\(summary.accepted) of \(events) events were accepted")
        }
    }

    func probe(_ kind: ProbeOrder.Kind) async throws -> ProbeSummary {
        try await start(.probe, ProbeOrder(kind: kind), name: "probe")
            .summary(of: ProbeSummary.self, milliseconds: 1_200_000)
    }

    func floor(_ order: FloorOrder) async throws -> FloorSummary {
        let summary = try await start(.floor, order, name: "floor").summary(
            of: FloorSummary.self, milliseconds: 200_000)
        guard summary.problem.isEmpty else { throw HarnessFailure("floor: \(summary.problem)") }
        return summary
    }

    /// A topic for the floor, with as many partitions as the queue, and warm like those (``warmUp()``).
    func makeTopic(_ name: String) async throws -> String {
        let name = place.prefix + name
        let spec = TopicSpec(
            name: name, partitions: Int32(place.partitions), replication: 1, minInSyncReplicas: 1, cleanup: .never)
        _ = try await log.ensure(topics: [spec])
        ownTopics.withLock { if !$0.contains(name) { $0.append(name) } }
        for _ in 1...3 {
            let records = (0..<Int32(place.partitions)).map {
                LogAppend(topic: name, partition: $0, key: nil, value: Array(repeating: 0, count: 5000))
            }
            for result in await log.append(records) { _ = try result.get() }
        }
        return name
    }
}
