internal import ServiceRuntime
import Synchronization
internal import TaskLog
internal import TaskTelemetry

/// What the loop asks of a ledger, carried out beside it: one thing after the other, in the loop's order. Ledgers do not
/// wait for each other.
///
/// A follower that began late, after it was told to leave, would bring records while a scan is under way; they would be
/// missing later.
final class LedgerDesk: Sendable {
    let follower: any LogFollower
    private let time: any TimeSource
    private let logger: Logger
    private let latest = Mutex<[TopicPartition: OneShot]>([:])

    init(follower: any LogFollower, time: any TimeSource, logger: Logger) {
        self.follower = follower
        self.time = time
        self.logger = logger
    }

    /// From the loop: whatever is asked next of this ledger comes after it.
    func turn(of ledger: TopicPartition) -> LedgerTurn {
        let done = OneShot()
        let previous = latest.withLock { latest in
            defer { latest[ledger] = done }
            return latest[ledger]
        }
        return LedgerTurn(desk: self, ledger: ledger, previous: previous, done: done)
    }

    fileprivate func isLatest(_ turn: LedgerTurn) -> Bool { latest.withLock { $0[turn.ledger] === turn.done } }

    fileprivate func follow(_ turn: LedgerTurn, from offset: Int64) async {
        let attempts = Persistence(
            what: "following the ledger", partition: turn.ledger, time: time, logger: logger,
            isWanted: { self.isLatest(turn) })
        await attempts.persist { try await follower.add([turn.ledger: offset]) }
    }
}

/// A place in the order of what is done with one ledger.
struct LedgerTurn: Sendable {
    fileprivate let desk: LedgerDesk
    fileprivate let ledger: TopicPartition
    fileprivate let previous: OneShot?
    fileprivate let done: OneShot

    func take(_ body: () async -> Void) async {
        await previous?.wait()
        await body()
        done.fire()
    }

    /// An unreachable log is asked again until something else is asked of the ledger.
    func follow(from offset: Int64) async { await take { await desk.follow(self, from: offset) } }

    func unfollow() async { await take { await desk.follower.remove([ledger]) } }
}
