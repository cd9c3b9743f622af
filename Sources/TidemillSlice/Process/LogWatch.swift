import ServiceRuntime
import Synchronization
import TaskLog
import TaskModel
import TidemillHarness

/// Follows the topics of a run from their start, and lets others wait for what appears in them.
final class LogWatch: Sendable {
    private struct Waiter {
        var predicate: @Sendable (LogState) -> Bool
        var signal: OneShot
    }

    private struct Shared {
        var state: LogState
        var waiters: [Waiter] = []

        mutating func change(_ body: (inout LogState) -> Void) -> [OneShot] {
            body(&state)
            let met = waiters.filter { $0.predicate(state) }.map(\.signal)
            if !met.isEmpty { waiters.removeAll { waiter in met.contains { $0 === waiter.signal } } }
            return met
        }
    }

    private let shared: Mutex<Shared>
    private let follower: any LogFollower
    private let time = SystemTimeSource()

    private init(follower: any LogFollower, names: TopicNames) {
        self.follower = follower
        shared = Mutex(Shared(state: LogState(names: names)))
    }

    /// The topics must exist.
    static func open(_ log: any TaskLog, _ plan: TopicPlan) async throws -> LogWatch {
        let positions = Dictionary(uniqueKeysWithValues: partitions(of: plan).map { ($0, Int64(0)) })
        return LogWatch(follower: try await log.follow(positions), names: plan.names)
    }

    /// Of due, ledger, retry and dead.
    static func partitions(of plan: TopicPlan) -> [TopicPartition] {
        let queues = plan.queues.flatMap { queue in
            (0..<queue.partitions).flatMap {
                [TopicPartition(plan.names.due(queue.name), $0), TopicPartition(plan.names.ledger(queue.name), $0)]
            }
        }
        return queues
            + (0..<plan.controlPartitions).flatMap {
                [TopicPartition(plan.names.retry, $0), TopicPartition(plan.names.dead, $0)]
            }
    }

    /// Reads until ``close()``.
    func run() async throws {
        while let records = try await follower.next() {
            let now = time.now()
            change { $0.add(records, readAt: now) }
        }
    }

    func close() async { await follower.close() }

    /// A line that a process printed.
    func heard(_ text: Substring) {
        guard let line = ExecutionLine(text) else { return }
        change { $0.add(line) }
    }

    func endedUnexpectedly(_ child: ChildProcess) {
        let how = child.end.map { "\($0)" } ?? "unknown"
        change { $0.add(unexpectedEnd: "\(child.name) (process \(child.processID)): \(how)") }
    }

    private func change(_ body: (inout LogState) -> Void) {
        for signal in shared.withLock({ $0.change(body) }) { signal.fire() }
    }

    func read<Value: Sendable>(_ body: (LogState) -> Value) -> Value { shared.withLock { body($0.state) } }

    /// Returns as soon as `predicate` holds, which is asked after every change; false when it does not within the time.
    func holds(atMost milliseconds: Int64, _ predicate: @escaping @Sendable (LogState) -> Bool) async -> Bool {
        let signal = OneShot()
        let isMet = shared.withLock { shared in
            if predicate(shared.state) { return true }
            shared.waiters.append(Waiter(predicate: predicate, signal: signal))
            return false
        }
        if isMet { return true }
        defer { shared.withLock { shared in shared.waiters.removeAll { $0.signal === signal } } }
        return await time.wait(for: signal, milliseconds: milliseconds)
    }

    /// As ``holds(atMost:_:)``, but it is a failure when it does not come true.
    func wait(
        for what: String, atMost milliseconds: Int64 = 60_000, _ predicate: @escaping @Sendable (LogState) -> Bool
    ) async throws {
        guard await holds(atMost: milliseconds, predicate) else {
            throw SliceFailure("waited \(milliseconds / 1000) s for: \(what)\(troubles)")
        }
    }

    /// Waits until `count` first runs (or those of another replay) have ended; fails when for a minute none ends.
    func waitForEnds(_ count: Int, replay: UInt32 = 0, stall milliseconds: Int64 = 60_000) async throws {
        while true {
            let before = read { $0.endedByReplay[replay] ?? 0 }
            if before >= count { return }
            if await holds(atMost: milliseconds, { ($0.endedByReplay[replay] ?? 0) >= count }) { return }
            let after = read { $0.endedByReplay[replay] ?? 0 }
            guard after > before else {
                throw SliceFailure(
                    "\(after) of \(count) events have ended, and none for \(milliseconds / 1000) s\(troubles)")
            }
        }
    }

    private var troubles: String {
        let ends = read(\.unexpectedEnds)
        return ends.isEmpty ? "" : "; ended unexpectedly: " + ends.joined(separator: ", ")
    }
}
