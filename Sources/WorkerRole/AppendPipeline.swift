internal import ServiceRuntime
internal import TaskLog

/// The one way of a worker into the log: all that waits goes out as one batch, one batch at a time, in order.
///
/// So the order of a decision and the lease note behind it is kept, and a busy worker pays for a batch, not for a record.
/// Bounded by the unsettled turns of the worker: each has at most one append on the way.
final class AppendPipeline: Sendable {
    private enum Item: Sendable {
        case appends([PendingAppend])
        case barrier(OneShot)
    }

    private let log: any TaskLog
    private let items = Mailbox<Item>(capacity: .max)
    private let deliver: @Sendable ([AppendResult]) async -> Void

    init(log: any TaskLog, deliver: @escaping @Sendable ([AppendResult]) async -> Void) {
        self.log = log
        self.deliver = deliver
    }

    func submit(_ appends: [PendingAppend]) { items.post(.appends(appends)) }

    /// Fires when everything submitted before is acknowledged or refused.
    func barrier() -> OneShot {
        let signal = OneShot()
        if !items.post(.barrier(signal)) { signal.fire() }
        return signal
    }

    /// Ends once what was submitted is through.
    func close() { items.close() }

    func run() async {
        while let batch = await items.receive() {
            var appends: [PendingAppend] = []
            var barriers: [OneShot] = []
            for item in batch {
                switch item {
                case .appends(let more): appends += more
                case .barrier(let signal): barriers.append(signal)
                }
            }
            if !appends.isEmpty {
                let results = await log.append(appends.map(\.record))
                await deliver(zip(appends, results).map { AppendResult(append: $0, result: $1) })
            }
            for barrier in barriers { barrier.fire() }
        }
    }
}
