import TaskModel

/// A schedule of a run, and what its overlap rule promises.
struct OverlapLane: Hashable, Sendable {
    var range: ScheduleRange
    var rule: OverlapRule
    /// Of the rules that have one: how many may be open, or wait.
    var limit: Int?

    /// How many may run at once. What is terminated may take a moment to end beside its successor.
    var capacity: Int {
        switch rule {
        case .skip, .bufferOne, .bufferAll, .cancelOther: 1
        case .terminateOther: 2
        case .allow: limit ?? .max
        }
    }

    /// How many may wait while one runs; nil where others do not wait, or not for long.
    var room: Int? {
        switch rule {
        case .bufferOne: 1
        case .bufferAll: limit ?? Int(OverlapRule.defaultBuffered)
        case .skip, .cancelOther, .terminateOther, .allow: nil
        }
    }

    /// Whether a new fire ends the one before, instead of making room for it.
    var newestWins: Bool { rule == .cancelOther || rule == .terminateOther }
}

/// What was found of one lane. Empty lists are good news.
struct OverlapReport: Hashable, Sendable {
    var fires = 0
    var completed = 0
    var skipped = 0
    var cancelled = 0
    /// Runs at once, at most.
    var mostAtOnce = 0
    /// Fires that waited while one ran, at most.
    var mostWaiting = 0
    /// Nominal times without an end.
    var lost: [NominalTime] = []
    /// Nominal times with two ends or two events, and events whose time no trigger named.
    var doubled: [NominalTime] = []
    /// Started beside more than the rule allows.
    var crowded: [NominalTime] = []
    /// Waited although the room was full.
    var overfull: [NominalTime] = []
    /// Started for the first time after a later one had.
    var disordered: [NominalTime] = []
    /// An end that the rule does not know, or that its handler's journal contradicts.
    var wrongEnds: [NominalTime] = []

    var problems: Int { [lost, doubled, crowded, overfull, disordered, wrongEnds].reduce(0) { $0 + $1.count } }
}

/// Judges what the fires of one schedule did beside each other, from the journals of their handlers and the ledger.
struct OverlapAudit {
    private let lane: OverlapLane
    private let nominals: [Fingerprint: Timestamp]
    private let emissions: [Emission]
    private let statements: [LedgerStatement]
    /// By their start.
    private let runs: [Run]
    private let firstStarts: [Fingerprint: Timestamp]
    private var report = OverlapReport()

    /// An execution and when it was over at the latest: a process that was killed runs nothing any more.
    private struct Run {
        var execution: Execution
        var end: Timestamp
        var wasCutOff: Bool
        var fingerprint: Fingerprint { execution.coordinate.fingerprint }
    }

    /// `kills`: until when each killed process was gone.
    static func audit(_ lane: OverlapLane, _ input: AuditInput, kills: [FaultWindow]) -> OverlapReport {
        var audit = OverlapAudit(lane, input, kills)
        audit.judgeEnds()
        audit.judgeRuns()
        audit.judgeWaiting()
        return audit.report
    }

    private init(_ lane: OverlapLane, _ input: AuditInput, _ kills: [FaultWindow]) {
        self.lane = lane
        emissions = input.emissions.filter { $0.fire?.schedule == lane.range.id }
        var nominals = Dictionary(
            uniqueKeysWithValues: lane.range.nominalTimes.map { (lane.range.fingerprint(of: $0), $0) })
        for emission in emissions { nominals[emission.coordinate.fingerprint] = emission.fire?.nominal }
        self.nominals = nominals
        statements = input.statements.filter {
            nominals[$0.coordinate.fingerprint] != nil && $0.outcome.outcomeClass != .again
        }
        runs = input.executions.filter { nominals[$0.coordinate.fingerprint] != nil }
            .map { execution in
                let kill = kills.first { $0.targets.contains(execution.processID) && execution.start <= $0.end }
                return Run(
                    execution: execution, end: execution.end ?? kill?.end ?? .distantFuture,
                    wasCutOff: execution.end == nil && kill != nil)
            }
            .sorted { ($0.execution.start, $0.execution.coordinate) < ($1.execution.start, $1.execution.coordinate) }
        firstStarts = Dictionary(runs.map { ($0.fingerprint, $0.execution.start) }) { min($0, $1) }
    }

    private func name(_ fingerprint: Fingerprint) -> NominalTime {
        NominalTime(schedule: lane.range.id, time: nominals[fingerprint] ?? .epoch)
    }

    private mutating func judgeEnds() {
        let wanted = lane.range.fingerprints
        let named = Dictionary(grouping: emissions) { $0.fire?.nominal }
        for (_, emissions) in named where Set(emissions.map(\.coordinate.fingerprint)).count > 1 {
            report.doubled.append(name(emissions[0].coordinate.fingerprint))
        }
        let newest = lane.range.nominalTimes.last.map(lane.range.fingerprint(of:))
        let ends = Dictionary(grouping: Set(statements), by: \.coordinate.fingerprint)
        report.fires = nominals.count
        for fingerprint in nominals.keys.sorted() {
            let ends = ends[fingerprint] ?? []
            guard let end = ends.first else {
                report.lost.append(name(fingerprint))
                continue
            }
            if ends.count > 1 || !wanted.contains(fingerprint) { report.doubled.append(name(fingerprint)) }
            count(end.outcome)
            let mustComplete = lane.newestWins && fingerprint == newest
            if !isRight(end.outcome, fingerprint) || mustComplete && end.outcome != .completed {
                report.wrongEnds.append(name(fingerprint))
            }
        }
    }

    private mutating func count(_ outcome: Outcome) {
        switch outcome {
        case .completed: report.completed += 1
        case .skipped: report.skipped += 1
        case .cancelled: report.cancelled += 1
        case .dead, .expired, .retrying, .snoozed: break
        }
    }

    /// Whether the rule knows this end, and the handler's runs agree with it.
    private func isRight(_ outcome: Outcome, _ fingerprint: Fingerprint) -> Bool {
        let own = runs.filter { $0.fingerprint == fingerprint }
        let succeeded = own.contains { $0.execution.result == .succeeded }
        switch outcome {
        case .completed: return succeeded
        // It may have begun in a process that did not live to put the end of the one before on record.
        case .skipped: return !lane.newestWins && own.allSatisfy(\.wasCutOff)
        // What is terminated is over on record before its handler hears of it.
        case .cancelled: return lane.newestWins && (!succeeded || lane.rule == .terminateOther)
        case .dead, .expired, .retrying, .snoozed: return false
        }
    }

    private mutating func judgeRuns() {
        var latest = Timestamp.epoch
        for (index, run) in runs.enumerated() {
            let start = run.execution.start
            let beside = runs[..<index].filter { $0.end > start }
            report.mostAtOnce = max(report.mostAtOnce, beside.count + 1)
            // One event beside itself is wrong under any rule.
            if beside.count >= lane.capacity || beside.contains(where: { $0.fingerprint == run.fingerprint }) {
                report.crowded.append(name(run.fingerprint))
            }
            guard lane.rule != .allow, firstStarts[run.fingerprint] == start, let nominal = nominals[run.fingerprint]
            else { continue }
            if nominal < latest { report.disordered.append(name(run.fingerprint)) }
            latest = max(latest, nominal)
        }
    }

    /// Looked at whenever one starts: what had come by then, was let in, and started later, waited beside it. That is as many as
    /// the room holds where a backlog met a new owner, and one less where all flows.
    private mutating func judgeWaiting() {
        guard let room = lane.room else { return }
        let isSkipped = Set(statements.filter { $0.outcome == .skipped }.map(\.coordinate.fingerprint))
        let came = Dictionary(emissions.map { ($0.coordinate.fingerprint, $0.time) }) { min($0, $1) }
            .filter { !isSkipped.contains($0.key) }
        for run in runs {
            let start = run.execution.start
            let waiting = came.filter { $0.value < start && (firstStarts[$0.key] ?? .distantFuture) > start }
            report.mostWaiting = max(report.mostWaiting, waiting.count)
            if waiting.count > room { report.overfull.append(name(run.fingerprint)) }
        }
    }
}
