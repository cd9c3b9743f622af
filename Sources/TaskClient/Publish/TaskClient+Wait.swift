internal import TaskLog
public import TaskModel

extension TaskClient {
    /// Publishes one event and follows it to its end, through retries.
    ///
    /// `timeout` in milliseconds, counted from the publish; nil waits for ever. `onPublished` and `progress` are called in
    /// order, from one task. When an equal event has ended within the dedup window, that end is returned at once: Tidemill
    /// will not run the work again (see ``EventEnd/wasDecidedBefore``).
    public func publish(
        _ request: PublishRequest, waitingAtMost timeout: Int64?,
        onPublished: @escaping @Sendable (PublishReceipt) -> Void = { _ in },
        progress: @escaping @Sendable (WaitProgress) -> Void = { _ in }
    ) async throws(ClientError) -> WaitResult {
        let prepared = try await prepare(request, to: topology.due(request.queue))
        let ledger = try await partition(of: prepared.recordKey, in: names.ledger(request.queue))
        // A fresh id can have no history; five minutes cover a repeated publish of the same value, and a skewed clock.
        let lookBack = request.identity == .automatic ? min(300_000, plan.dedupWindow) : plan.dedupWindow
        let start: Int64
        let end: Int64
        do {
            end = try await log.bounds(of: [ledger])[ledger]?.end ?? 0
            start = min(end, try await log.offset(for: time.now() - lookBack, in: ledger))
        } catch {
            throw ClientError(wrapping: error, while: "reading the end of \(ledger)")
        }
        onPublished(try await append(prepared))
        let fold = WaitFold(
            fingerprint: prepared.coordinate.fingerprint, replay: prepared.coordinate.replay, publishedBefore: end)
        return try await follow(ledger, from: start, fold, timeout: timeout, progress: progress)
    }

    /// Waits for the end of an event that was published before; returns at once when the ledger knows it.
    ///
    /// `key` is the event's lane key: without the right one the wait looks at another partition, and times out.
    public func wait(
        for fingerprint: Fingerprint, queue: String = TopicNames.defaultQueue, key: String? = nil,
        replay: UInt32 = 0, timeout: Int64?, progress: @escaping @Sendable (WaitProgress) -> Void = { _ in }
    ) async throws(ClientError) -> WaitResult {
        _ = try await topology.due(queue)
        let recordKey = TaskEvent.recordKey(lane: key, fingerprint)
        let ledger = try await partition(of: recordKey, in: names.ledger(queue))
        let start: Int64
        do {
            start = try await log.bounds(of: [ledger])[ledger]?.start ?? 0
        } catch {
            throw ClientError(wrapping: error, while: "reading the start of \(ledger)")
        }
        let fold = WaitFold(fingerprint: fingerprint, replay: replay, publishedBefore: nil)
        return try await follow(ledger, from: start, fold, timeout: timeout, progress: progress)
    }

    private func follow(
        _ ledger: TopicPartition, from start: Int64, _ fold: WaitFold, timeout: Int64?,
        progress: @escaping @Sendable (WaitProgress) -> Void
    ) async throws(ClientError) -> WaitResult {
        do {
            let follower = try await log.follow([ledger: start])
            // Closing the follower is what ends its `next()`, so it happens before the group is left.
            return try await withThrowingTaskGroup(of: WaitResult.self) { [time] group in
                group.addTask { try await Self.drain(follower, fold, progress: progress) }
                group.addTask {
                    try await time.sleep(atMost: timeout)
                    return .timedOut
                }
                let first = await group.nextResult()
                group.cancelAll()
                await follower.close()
                return try first?.get() ?? .timedOut
            }
        } catch {
            throw ClientError(wrapping: error, while: "following \(ledger)")
        }
    }

    private static func drain(
        _ follower: any LogFollower, _ start: WaitFold, progress: @Sendable (WaitProgress) -> Void
    ) async throws -> WaitResult {
        var fold = start
        let key = fold.fingerprint.bytes
        while let records = try await follower.next() {
            for record in records where record.key == key {
                guard let entry = LedgerRecord(key: record.key, value: record.value) else { continue }
                switch fold.handle(entry, offset: record.offset, at: record.timestamp) {
                case .progress(let step): progress(step)
                case .end(let end): return .ended(end)
                case nil: break
                }
            }
        }
        return .timedOut
    }
}
