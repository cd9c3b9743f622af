import TaskModel

/// A fault that was injected: what, into whom, from when to when.
struct FaultWindow: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable, CaseIterable {
        /// SIGKILL of a worker or scheduler, and a restart.
        case kill
        /// SIGSTOP, then SIGCONT.
        case stop
        /// SIGTERM, and a restart once it has ended.
        case terminate
        /// SIGTERM and restart of all, one after the other.
        case rolling
        /// Workers down to one, up to six, down to two, back.
        case scale
        /// The wall clock of one process steps an hour forward or back, and home again.
        case clock
        /// Every network connection of one process breaks.
        case cut
        /// SIGKILL of a broker, and a restart.
        case brokerKill = "broker-kill"
        /// SIGSTOP of a broker, then SIGCONT.
        case brokerStop = "broker-stop"
        /// Processes can no longer write to the log's file, then they can.
        case full
    }

    var kind: Kind
    /// Processes; empty for a broker's fault, which concerns them all, and where single windows stand for the parts.
    var targets: Set<Int32> = []
    /// For people.
    var name: String
    var start: Timestamp
    var end: Timestamp
    /// The process was stopped in the middle of a write of the embedded log, so nobody could write.
    var heldLog = false
    /// The process was told to end and said that it could not do so in good order.
    var gaveUp = false

    /// Nobody could read the log.
    var isOfBroker: Bool { kind == .brokerKill || kind == .brokerStop }

    /// Its process cannot follow the log, or say what it did, though others can.
    var blindsAProcess: Bool { kind == .stop || kind == .cut || kind == .full }

    var line: String {
        let length = end - start
        return "\(start.rfc3339) \(kind.rawValue) \(name) for \(length) ms"
            + (targets.isEmpty ? "" : " process " + targets.sorted().map(String.init).joined(separator: " "))
            + (heldLog ? ", held the log" : "")
            + (gaveUp ? ", gave up" : "")
    }
}

/// Which faults may make a turn run again, and when. A clean stop, a scaling, a deploy or a wrong clock never may.
struct FaultTimeline: Sendable {
    /// How long after its end a fault still shows, in milliseconds: a process that slept, or was cut off, may start what it
    /// had read before it hears that its partitions went; clients need longer for a broker's return.
    static let echo: Int64 = 5000
    static let brokerEcho: Int64 = 15_000
    /// An outcome whose append takes longer than this (milliseconds) was not on its way when a kill came.
    static let appendTime: Int64 = 5000

    private var byProcess: [Int32: [FaultWindow]] = [:]
    /// They concern all.
    private var brokers: [FaultWindow] = []
    private var stoppedWriters: [FaultWindow] = []

    init(_ faults: [FaultWindow]) {
        for fault in faults {
            if fault.isOfBroker { brokers.append(fault) }
            if fault.heldLog { stoppedWriters.append(fault) }
            for target in fault.targets { byProcess[target, default: []].append(fault) }
        }
    }

    /// Why a second run began although a first had; nil when nothing explains it. `isDecided`: the outcome of the first, by
    /// the worker that ran it, is in the ledger.
    func cause(of second: Execution, after first: Execution, isDecided: Bool) -> FaultWindow.Kind? {
        if !isDecided, wasCutOff(first, before: second.start) { return .kill }
        let windows = (byProcess[first.processID] ?? []) + (byProcess[second.processID] ?? [])
        for fault in windows where fault.blindsAProcess {
            if mayRepeat(first, before: second.start, fault, Self.echo) { return fault.kind }
        }
        for fault in brokers where mayRepeat(first, before: second.start, fault, Self.brokerEcho) { return fault.kind }
        // Who hands off and goes on can neither renew its lease, and gives up, nor say how the turn ended, and another
        // takes over.
        for fault in stoppedWriters where isUndecided(first, at: fault) {
            let moments = [first.end, second.start].compactMap(\.self)
            if moments.contains(where: { overlaps(fault, Self.echo, $0, $0) }) { return fault.kind }
        }
        return nil
    }

    /// Either the outcome of the first run was not in the log when the fault came, or nobody could read it since. A fault
    /// that came after it and was over long before the second run explains nothing.
    private func mayRepeat(_ first: Execution, before time: Timestamp, _ fault: FaultWindow, _ echo: Int64) -> Bool {
        guard overlaps(fault, echo, first.start, time) else { return false }
        return isUndecided(first, at: fault) || fault.end + echo >= time
    }

    private func wasCutOff(_ run: Execution, before time: Timestamp) -> Bool {
        (byProcess[run.processID] ?? []).contains { fault in
            fault.kind == .kill && run.start <= fault.end && fault.start <= time
                && (isUndecided(run, at: fault) || isHeldUp(run, until: fault))
        }
    }

    /// Whether its process was killed while it ran.
    func wasKilled(_ run: Execution) -> Bool {
        (byProcess[run.processID] ?? []).contains { fault in
            fault.kind == .kill && run.start <= fault.end && run.end.map { fault.start <= $0 } ?? true
        }
    }

    /// Whether a stopped writer kept its outcome from the log until the kill.
    private func isHeldUp(_ run: Execution, until kill: FaultWindow) -> Bool {
        stoppedWriters.contains { isUndecided(run, at: $0) && overlaps($0, Self.echo, kill.start, kill.start) }
    }

    /// Whether its outcome was not, or may not have been, in the log when the fault came.
    private func isUndecided(_ run: Execution, at fault: FaultWindow) -> Bool {
        run.end.map { fault.start - $0 <= Self.appendTime } ?? true
    }

    /// Whether a process may not yet have read at `time` what others could read before.
    func isBlind(_ processID: Int32, at time: Timestamp) -> Bool {
        (byProcess[processID] ?? []).contains { $0.blindsAProcess && overlaps($0, Self.echo, time, time) }
            || brokers.contains { overlaps($0, Self.brokerEcho, time, time) }
    }

    /// Processes that gave up though the log was there at the end of their patience.
    var unexplainedGiveUps: [FaultWindow] {
        Set(byProcess.values.joined()).filter { end in
            guard end.gaveUp else { return false }
            let own = end.targets.flatMap { byProcess[$0] ?? [] }
            return !own.contains { $0.blindsAProcess && $0.kind != .stop && overlaps($0, Self.echo, end.end, end.end) }
                && !stoppedWriters.contains { overlaps($0, Self.echo, end.end, end.end) }
                && !brokers.contains { overlaps($0, Self.brokerEcho, end.end, end.end) }
        }.sorted { $0.start < $1.start }
    }

    func wasTerminated(_ processID: Int32) -> Bool {
        (byProcess[processID] ?? []).contains { $0.kind == .terminate }
    }

    private func overlaps(_ fault: FaultWindow, _ echo: Int64, _ from: Timestamp, _ to: Timestamp) -> Bool {
        fault.start <= to && fault.end + echo >= from
    }
}
