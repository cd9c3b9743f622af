package import TaskLog
package import TaskModel

/// The two clocks of one moment. Wall time is for what people named, uptime (counts suspend, never steps) for the rest.
package struct WorkerNow: Hashable, Sendable {
    package var wall: Timestamp
    package var uptime: Int64

    package init(wall: Timestamp, uptime: Int64) {
        self.wall = wall
        self.uptime = uptime
    }
}

/// See ``AttemptTable``.
package typealias AttemptID = UInt64

/// What a restore found out before a partition may open.
package struct RestoredPosition: Hashable, Sendable {
    package var committed: CommittedOffset?
    package var due: OffsetBounds
    /// The end of the ledger up to which it was scanned.
    package var ledgerEnd: Int64
    /// The offset that the operator's start position names, when one was given.
    package var requestedStart: Int64?

    package init(committed: CommittedOffset?, due: OffsetBounds, ledgerEnd: Int64, requestedStart: Int64? = nil) {
        self.committed = committed
        self.due = due
        self.ledgerEnd = ledgerEnd
        self.requestedStart = requestedStart
    }
}

/// Why the worker's loop woke.
package enum WorkerWake: Sendable {
    case assigned([TopicPartition], epoch: Int64)
    /// A part of the ledger of a due partition that is being restored.
    case scanned(TopicPartition, epoch: Int64, [LedgerEntry])
    case restored(TopicPartition, epoch: Int64, RestoredPosition)
    case revoking([TopicPartition])
    case lost([TopicPartition])
    /// Due records.
    case due([DueBatch])
    /// Ledger records, as they arrive.
    case ledger([LedgerBatch])
    case finished([AttemptEnd])
    case appended(AppendBatch, [Result<AppendReceipt, LogError>])
    /// The time that ``WorkerStateMachine/nextWake`` named has come.
    case timer
    /// Stop in good order.
    case stop
}

/// Why a record is appended: what its acknowledgement moves on.
package enum AppendPurpose: Hashable, Sendable {
    case started(TurnPlace)
    case decision(TurnPlace)
    case effect(TurnPlace)
    case forward(TurnPlace)
    /// The pause of a dead event's schedule.
    case pause(TurnPlace)
    /// The cancel of another event of a lane, for the one at this place.
    case displacement(for: TurnPlace)
    /// A lease of an attempt whose partition is going or gone; `sentAt` is the uptime of its sending.
    case lease(AttemptID, sentAt: Int64)
    /// The decision of an attempt whose partition is gone.
    case departedDecision(Coordinate)
    /// What a hand-off says of a turn that does not run here any more.
    case lastWord(Coordinate)
    /// Nothing waits for it, but it must get there.
    case note
    /// Worth nothing later: not appended again.
    case heartbeat
}

/// A turn's place in this worker: numbers only, for it is copied and compared all the time.
package struct TurnPlace: Hashable, Sendable {
    /// Of its partition.
    let slot: Int
    /// Makes an answer to an earlier assignment harmless.
    let assignment: Int64
    /// Within its partition.
    let seat: Int
    let offset: Int64
}

/// An attempt that ended, and how.
package struct AttemptEnd: Hashable, Sendable {
    package var id: AttemptID
    package var result: AttemptResult

    package init(id: AttemptID, result: AttemptResult) {
        self.id = id
        self.result = result
    }
}

extension WorkerWake {
    package static func finished(_ id: AttemptID, _ result: AttemptResult) -> WorkerWake {
        .finished([AttemptEnd(id: id, result: result)])
    }
}

package struct PendingAppend: Hashable, Sendable {
    package var purpose: AppendPurpose
    package var record: LogAppend

    package init(purpose: AppendPurpose, record: LogAppend) {
        self.purpose = purpose
        self.record = record
    }
}

/// Appends that go out together. As two lists, so that the log gets the records as they are.
package struct AppendBatch: Hashable, Sendable {
    package private(set) var purposes: [AppendPurpose] = []
    package private(set) var records: [LogAppend] = []

    package init() {}

    package init(_ appends: some Sequence<PendingAppend>) {
        for append in appends { self.append(append.purpose, append.record) }
    }

    package var isEmpty: Bool { purposes.isEmpty }
    package var count: Int { purposes.count }

    package subscript(index: Int) -> PendingAppend {
        PendingAppend(purpose: purposes[index], record: records[index])
    }

    package var appends: [PendingAppend] { purposes.indices.map { self[$0] } }

    mutating func append(_ purpose: AppendPurpose, _ record: LogAppend) {
        purposes.append(purpose)
        records.append(record)
    }

    mutating func append(_ other: AppendBatch) {
        guard !isEmpty else {
            self = other
            return
        }
        purposes += other.purposes
        records += other.records
    }
}

/// An attempt to start.
package struct AttemptStart: Sendable {
    package var id: AttemptID
    /// By reference: an event is large, and an action is moved often.
    let facts: TurnFacts
    package var queue: String
    package var fencingToken: FencingToken
    package var deadline: Timestamp

    package var event: TaskEvent { facts.event }
}

/// What the shell does. Appends keep their order, also relative to a hand-off.
package enum WorkerAction: Sendable {
    /// Read the committed offset and the bounds, scan the ledger from here (nil: its start) to its end.
    case restore(TopicPartition, epoch: Int64, ledgerFrom: Int64?)
    /// Commit (so that a crash from here on is seen as unclean), then fetch.
    case open(TopicPartition, epoch: Int64, start: Int64, commit: CommittedOffset)
    case append(AppendBatch)
    case start([AttemptStart])
    case cancel(AttemptID)
    case commit([TopicPartition: CommittedOffset])
    /// Once it is written, or after a short bound: commit, release. Without an id it is written when all appends so far
    /// are through.
    case handOff(HandOffID?, [TopicPartition], commit: [TopicPartition: CommittedOffset])
    case handOffWritten(HandOffID)
    /// Restores and openings of these partitions that are under way are off.
    case forget([TopicPartition])
    case pause([TopicPartition])
    case resume([TopicPartition])
    /// Follow, unfollow and restore of one ledger are done in this order, one after the other.
    case follow(TopicPartition, from: Int64)
    case unfollow([TopicPartition])
    /// The follower need not bring what lies before these positions of ledgers.
    case skip([TopicPartition: Int64])
    /// Delete the due records below this offset that the log took before this time.
    case trim(TopicPartition, below: Int64, takenBefore: Timestamp)
    /// Leave the group, after the hand-offs before it are through.
    case leave
    /// Nothing is left to do: the service may return.
    case finish
    case report(WorkerReport)
}

/// What people should hear.
package enum WorkerReport: Hashable, Sendable {
    case opened(TopicPartition, start: Int64, suspects: Bool)
    /// Records from `from` up to `to` left the log before a commit said that they were settled.
    case deleted(TopicPartition, from: Int64, to: Int64)
    /// The partition does not open; the text says what to do.
    case stopped(TopicPartition, String)
    case settled(Coordinate, task: String, Outcome, attempt: UInt32, code: String?, message: String?)
    case forwarded(Coordinate, from: TopicPartition)
    /// The first refusal of a round of appends; all of them are tried again.
    case appendFailed(LogError)
    /// The log will not take this turn's record as it is: it stays a hole and is tried again now and then.
    case stuck(Coordinate, LogError)
    case leaseLost(Coordinate)
    case resolved(DeadLetterKey)
    /// The log did not answer until the end of a stop: this many appends were given up.
    case abandoned(appends: Int)
}
