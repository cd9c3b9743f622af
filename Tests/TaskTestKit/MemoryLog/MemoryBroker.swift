package import ServiceRuntime
import Synchronization
package import TaskLog
internal import TaskModel

/// The store that several ``MemoryTaskLog`` handles share, as processes share a Kafka cluster, with what a test needs to
/// see of it and to wait for.
package final class MemoryBroker: Sendable {
    private struct Watcher {
        var condition: @Sendable (BrokerState) -> Bool
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Guarded {
        var broker = BrokerState()
        var watchers: [Int: Watcher] = [:]
        var armedDeadline: Int64 = .max
    }

    package let time: any TimeSource
    private let guarded = Mutex(Guarded())

    /// Broker time, session timeouts and revoke deadlines follow `time`.
    package init(time: any TimeSource) {
        self.time = time
        if let manual = time as? ManualTimeSource {
            manual.onAdvance { [weak self] in self?.change { _ in } }
        }
    }

    // MARK: for tests

    /// The records that `partition` holds now; empty when it does not exist.
    package func records(of partition: TopicPartition) -> [LogRecord] {
        change { (try? $0.partition(partition))?.records ?? [] }
    }

    /// The records that all partitions of `topic` hold now, by partition and offset.
    package func records(in topic: String) -> [LogRecord] {
        change { state in state.topics[topic]?.partitions.flatMap(\.records) ?? [] }
    }

    /// What `group` has committed for `partition`.
    package func committed(group: String, _ partition: TopicPartition) -> CommittedOffset? {
        change { $0.commits[group]?[partition] }
    }

    /// Ids of the members that the group counts now.
    package func members(of group: String) -> [String] {
        change { $0.groups[group]?.memberIDs ?? [] }
    }

    /// Compacts a topic (every compacted one by default) now. Tombstones younger than a day stay unless asked otherwise.
    package func compact(_ topic: String? = nil, dropsTombstones: Bool = false) {
        let now = time.now()
        change { state in
            for name in topic.map({ [$0] }) ?? Array(state.topics.keys) {
                state.compact(name, now: now, dropsTombstones: dropsTombstones)
            }
        }
    }

    /// Compacts a compacted topic whenever it took `appends` records since the last time; nil turns that off.
    package func compactAutomatically(every appends: Int?) {
        change { $0.automaticCompaction = appends }
    }

    /// Drops what is older than its topic's retention.
    package func applyRetention() {
        let now = time.now()
        change { $0.applyRetention(now: now) }
    }

    /// Returns once `topic` has taken `count` records since it was created.
    package func waitForAppend(to topic: String, count: Int = 1) async throws {
        try await wait { ($0.topics[topic]?.appended ?? 0) >= count }
    }

    /// Returns once `group` has exactly `count` members and no rebalance is under way.
    package func waitForMembers(of group: String, count: Int) async throws {
        try await wait { state in
            guard let group = state.groups[group] else { return count == 0 }
            return group.isStable && group.memberIDs.count == count
        }
    }

    /// Returns once `group` has committed `offset` or more for `partition`.
    package func waitForCommit(group: String, _ partition: TopicPartition, atLeast offset: Int64) async throws {
        try await wait { ($0.commits[group]?[partition]?.offset ?? -1) >= offset }
    }

    /// Returns once the records of `partition` below `offset` are deleted.
    package func waitForTrim(_ partition: TopicPartition, below offset: Int64) async throws {
        try await wait { ((try? $0.partition(partition))?.start ?? -1) >= offset }
    }

    /// Returns once every member of `group` waits in `next()` and has nothing left to read.
    package func waitForIdleMembers(of group: String) async throws {
        try await wait { state in
            let readers = state.readers.values.filter { $0.membership?.options.group == group && $0.ending == nil }
            return !readers.isEmpty && state.groups[group]?.isStable == true
                && readers.allSatisfy { $0.waiter != nil && !$0.hasNews }
        }
    }

    // MARK: for handles and readers

    /// Runs `body` under the lock, after what the clock has made due, and then wakes whom it concerns.
    @discardableResult
    func change<Value: Sendable, Failure: Error>(
        _ body: (inout BrokerState) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let now = time.uptime()
        let (result, ready, deadline) = guarded.withLock { guarded in
            guarded.broker.expire(now: now)
            let result = Self.capture { () throws(Failure) in try body(&guarded.broker) }
            var ready = guarded.broker.ready
            guarded.broker.ready = []
            ready += Self.satisfiedWatchers(&guarded)
            return (result, ready, armedDeadline(&guarded))
        }
        for continuation in ready { continuation.resume() }
        if let deadline { wakeUp(at: deadline, now: now) }
        return try result.get()
    }

    /// Waits until the reader has news, or throws `CancellationError`.
    func waitForNews(of reader: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = change { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    guard let found = state.readers[reader], !found.hasNews else { return .success(()) }
                    precondition(found.waiter == nil, "one task calls next()")
                    state.readers[reader]!.waiter = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = change { state in
                let waiter = state.readers[reader]?.waiter
                state.readers[reader]?.waiter = nil
                return waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func wait(until condition: @escaping @Sendable (BrokerState) -> Bool) async throws {
        let id = change { $0.makeID() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = guarded.withLock { guarded in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if condition(guarded.broker) { return .success(()) }
                    guarded.watchers[id] = Watcher(condition: condition, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let watcher = guarded.withLock { $0.watchers.removeValue(forKey: id) }
            watcher?.continuation.resume(throwing: CancellationError())
        }
    }

    private static func capture<Value, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) -> Result<Value, Failure> {
        do { return .success(try body()) } catch { return .failure(error) }
    }

    private static func satisfiedWatchers(_ guarded: inout Guarded) -> [CheckedContinuation<Void, any Error>] {
        guard !guarded.watchers.isEmpty else { return [] }
        let broker = guarded.broker
        let satisfied = guarded.watchers.filter { $0.value.condition(broker) }
        for id in satisfied.keys { guarded.watchers[id] = nil }
        return satisfied.values.map(\.continuation)
    }

    /// A deadline for which nobody will wake us yet. A manual clock calls in by itself.
    private func armedDeadline(_ guarded: inout Guarded) -> Int64? {
        guard !(time is ManualTimeSource), let deadline = guarded.broker.nextDeadline,
            deadline < guarded.armedDeadline
        else { return nil }
        guarded.armedDeadline = deadline
        return deadline
    }

    private func wakeUp(at deadline: Int64, now: Int64) {
        Task { [weak self, time] in
            try? await time.sleep(milliseconds: deadline - now)
            guard let self else { return }
            guarded.withLock { guarded in
                if guarded.armedDeadline == deadline { guarded.armedDeadline = .max }
            }
            change { _ in }
        }
    }
}
