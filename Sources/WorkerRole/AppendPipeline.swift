internal import ServiceRuntime
internal import TaskLog

/// The one way of a worker into the log: all that waits goes out as one batch, one batch at a time, in order.
///
/// So the order of a decision and the lease note behind it is kept, and a busy worker pays for a batch, not for a record.
/// Bounded by the unsettled turns of the worker: each has at most one append on the way.
final class AppendPipeline: Sendable {
    private enum Item: Sendable {
        case appends(AppendBatch)
        case barrier(OneShot)
    }

    /// From so many appends in one batch on the worker is behind, and waits for more before the next one: a log charges
    /// by batch and partition, and what lies that far back does not notice these milliseconds.
    private static let busyBatch = 512
    private static let gatherTime: Int64 = 3

    typealias Append = @Sendable ([LogAppend]) async -> [Result<AppendReceipt, LogError>]

    private let append: Append
    private let time: any TimeSource
    private let items = Mailbox<Item>(capacity: .max)
    private let deliver: @Sendable (AppendBatch, [Result<AppendReceipt, LogError>]) async -> Void

    init(
        time: any TimeSource, append: @escaping Append,
        deliver: @escaping @Sendable (AppendBatch, [Result<AppendReceipt, LogError>]) async -> Void
    ) {
        self.append = append
        self.time = time
        self.deliver = deliver
    }

    func submit(_ appends: AppendBatch) { items.post(.appends(appends)) }

    /// Fires `signal` when everything submitted before is acknowledged or refused.
    func barrier(_ signal: OneShot) {
        if !items.post(.barrier(signal)) { signal.fire() }
    }

    /// ``run()`` ends once what was submitted is through.
    func close() { items.close() }

    /// Until ``close()``, or until its task is cancelled: then nobody waits for a log that does not answer.
    func run() async {
        while let batch = await items.receive(), !Task.isCancelled {
            var appends = AppendBatch()
            var barriers: [OneShot] = []
            for item in batch {
                switch item {
                case .appends(let more): appends.append(more)
                case .barrier(let signal): barriers.append(signal)
                }
            }
            if !appends.isEmpty {
                guard let results = await send(appends.records) else { return }
                await deliver(appends, results)
            }
            for barrier in barriers { barrier.fire() }
            if appends.count >= Self.busyBatch, barriers.isEmpty {
                try? await time.sleep(milliseconds: Self.gatherTime)
            }
        }
    }

    /// Nil when this task was cancelled: the log goes on with them until it is closed.
    private func send(_ records: [LogAppend]) async -> [Result<AppendReceipt, LogError>]? {
        let isAnswered = OneShot()
        let answer = Task { [append] in
            defer { isAnswered.fire() }
            return await append(records)
        }
        guard await isAnswered.wait() else { return nil }
        return await answer.value
    }
}
