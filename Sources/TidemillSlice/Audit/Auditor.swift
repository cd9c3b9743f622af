import TaskModel

/// What an audit found. Empty lists are good news.
struct AuditReport: Hashable, Sendable {
    /// A handler that ran more than once for one coordinate.
    struct Repetition: Hashable, Sendable {
        var coordinate: Coordinate
        /// Runs beyond the first.
        var extra: Int
        /// Runs of processes that were killed before their outcome was in the ledger: each excuses one repetition.
        var excused: Int
        /// A process that got SIGTERM ran it too.
        var involvesTermination: Bool
        /// The fault that explains each, where the faults' times are known.
        var causes: [FaultWindow.Kind] = []

        var unexplained: Int { max(0, extra - excused) }
    }

    var accepted = 0
    /// Of the first run of each piece of work, and of each replay.
    var completed = 0
    var dead = 0
    /// Cancelled, expired, skipped.
    var endedOtherwise = 0
    /// Accepted (or replayed) and without an end.
    var lost: [WorkKey] = []
    /// Several ends that are not one statement repeated: another turn, outcome, worker or time.
    var settledTwice: [WorkKey] = []
    /// One turn that a fault made run twice, and that both runs ended alike: the second statement changes nothing.
    var endedByBoth: [WorkKey] = []
    /// Executed or ended, but never accepted.
    var unknown: [WorkKey] = []
    /// Dead by the ledger, without a letter.
    var withoutLetter: [WorkKey] = []
    /// A letter that the ledger does not call dead.
    var withoutDeath: [WorkKey] = []
    /// Completed by the ledger, without a handler that succeeded.
    var completedUnseen: [WorkKey] = []
    var executions = 0
    var coordinates = 0
    /// Executions that a kill cut off.
    var cutOff = 0
    var repetitions: [Repetition] = []
    /// Emitted or executed before their time.
    var early: [Coordinate] = []
    /// Left in `retry` although their work has ended.
    var orphans: [Coordinate] = []
    /// Started although the end of their work could be read, by a process that nothing had blinded.
    var startedAfterEnd: [Coordinate] = []
    /// Dead, and so many kills came while they ran that a worker could not tell them from what kills its process.
    var killedTooOften: Set<Fingerprint> = []
    /// Nominal times without a completed event.
    var missedTimes: [NominalTime] = []
    /// Nominal times with two events, or that no trigger named, or whose event ran again without a reason.
    var doubledTimes: [NominalTime] = []

    var repeated: Int { repetitions.reduce(0) { $0 + $1.extra } }
    var excused: Int { repetitions.reduce(0) { $0 + min($1.extra, $1.excused) } }
    var unexplained: Int { repetitions.reduce(0) { $0 + $1.unexplained } }
    var repeatedByTermination: Int {
        repetitions.filter(\.involvesTermination).reduce(0) { $0 + $1.unexplained }
    }
}

/// Judges a finished run from its records alone.
enum Auditor {
    static func audit(_ input: AuditInput) -> AuditReport {
        var report = AuditReport()
        report.accepted = input.accepted.count
        judgeEnds(input, &report)
        judgeExecutions(input, &report)
        judgeTimes(input, &report)
        judgeDoubleEnds(input, &report)
        judgeStarts(input, &report)
        judgeDeaths(input, &report)
        judgeSchedules(input, &report)
        return report
    }

    /// Every accepted event, and every replayed letter, must have an end; none may have two.
    private static func judgeEnds(_ input: AuditInput, _ report: inout AuditReport) {
        var expected = Set(input.accepted.map { WorkKey($0) })
        for (key, kind) in input.marks where kind == .replayed {
            expected.insert(WorkKey(key.fingerprint, replay: key.replay + 1))
        }
        var ends: [WorkKey: Set<LedgerStatement>] = [:]
        for statement in input.statements where statement.outcome.outcomeClass != .again {
            ends[WorkKey(statement.coordinate), default: []].insert(statement)
        }
        report.lost = expected.filter { ends[$0] == nil }.sorted()
        report.settledTwice = ends.filter { $0.value.count > 1 }.keys.sorted()
        let executed = input.executions.map { WorkKey($0.coordinate) }
        report.unknown = Set(executed).union(ends.keys).subtracting(expected).sorted()
        let succeeded = Set(
            input.executions.filter { $0.result == .succeeded }.map { WorkKey($0.coordinate) })
        let letters = Set(input.letters.map { WorkKey($0.fingerprint, replay: $0.replay) })
        for (key, statements) in ends {
            if statements.contains(where: { $0.outcome == .completed }) {
                report.completed += 1
                if !succeeded.contains(key) { report.completedUnseen.append(key) }
            } else if statements.contains(where: { $0.outcome == .dead }) {
                report.dead += 1
                if !letters.contains(key) { report.withoutLetter.append(key) }
            } else {
                report.endedOtherwise += 1
            }
        }
        report.withoutDeath =
            letters.filter { key in !(ends[key] ?? []).contains { $0.outcome == .dead } }.sorted()
        report.completedUnseen.sort()
        report.withoutLetter.sort()
    }

    /// One handler run for a coordinate; more only where a kill cut one off before its outcome was durable.
    private static func judgeExecutions(_ input: AuditInput, _ report: inout AuditReport) {
        struct Decided: Hashable {
            var coordinate: Coordinate
            var worker: String
        }
        let decided = Set(input.statements.map { Decided(coordinate: $0.coordinate, worker: $0.worker) })
        report.executions = input.executions.count
        let groups = Dictionary(grouping: input.executions, by: \.coordinate)
        let timeline = input.faults.map(FaultTimeline.init)
        report.coordinates = groups.count
        for (coordinate, executions) in groups.sorted(by: { $0.key < $1.key }) {
            let cut = executions.filter { run in
                switch input.interventions[run.processID] {
                case .killed: !decided.contains(Decided(coordinate: coordinate, worker: run.worker))
                // It was taken for dead while it slept, and may still complete.
                case .suspended: true
                case .terminated, nil: false
                }
            }
            report.cutOff += cut.count { $0.end == nil }
            guard executions.count > 1 else { continue }
            if let timeline {
                let runs = executions.sorted { $0.start < $1.start }
                let causes = zip(runs, runs.dropFirst()).compactMap { first, second in
                    timeline.cause(
                        of: second, after: first,
                        isDecided: decided.contains(Decided(coordinate: coordinate, worker: first.worker)))
                }
                report.repetitions.append(
                    AuditReport.Repetition(
                        coordinate: coordinate, extra: runs.count - 1, excused: causes.count,
                        involvesTermination: runs.contains { timeline.wasTerminated($0.processID) }, causes: causes))
                continue
            }
            let terminated = executions.contains { input.interventions[$0.processID] == .terminated }
            report.repetitions.append(
                AuditReport.Repetition(
                    coordinate: coordinate, extra: executions.count - 1, excused: cut.count,
                    involvesTermination: terminated))
        }
    }

    /// Runs before the time that the plan gave their event, or sooner after a failure than its policy allows: the log's own
    /// word for when something is due is not asked.
    private static func beforePlan(_ input: AuditInput) -> [Coordinate] {
        var failures: [Coordinate: Timestamp] = [:]
        for run in input.executions where run.result == .failed {
            guard let end = run.end, let policy = input.retryPolicy else { continue }
            let wait = policy.delay(afterAttempt: run.attempt, of: run.coordinate)
            failures[run.coordinate] = min(end + wait, failures[run.coordinate] ?? .distantFuture)
        }
        return input.executions.filter { run in
            var before = run.coordinate
            if before.turn == 1 {
                return before.replay == 0 && input.plannedStarts[before.fingerprint].map { run.start < $0 } == true
            }
            before.turn -= 1
            return failures[before].map { run.start < $0 } == true
        }.map(\.coordinate)
    }

    /// Nothing that waited comes before its time, and nothing stays behind.
    private static func judgeTimes(_ input: AuditInput, _ report: inout AuditReport) {
        var dueTimes: [Coordinate: Timestamp] = [:]
        for record in input.waiting {
            dueTimes[record.coordinate] = min(record.dueTime, dueTimes[record.coordinate] ?? .distantFuture)
        }
        func isEarly(_ coordinate: Coordinate, _ time: Timestamp) -> Bool {
            dueTimes[coordinate].map { time < $0 } ?? false
        }
        let emitted = input.emissions.filter { isEarly($0.coordinate, $0.time) }.map(\.coordinate)
        let executed = input.executions.filter { isEarly($0.coordinate, $0.start) }.map(\.coordinate)
        let fired = input.emissions.filter { emission in emission.fire.map { emission.time < $0.nominal } ?? false }
        report.early = Set(emitted).union(executed).union(fired.map(\.coordinate)).union(beforePlan(input)).sorted()
        report.orphans = input.stillWaiting.sorted()
    }
}
