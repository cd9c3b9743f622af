import TaskModel

extension Auditor {
    /// How long after somebody read an end its owner may not have (milliseconds): reading takes time.
    static let readingTime: Int64 = 1000

    /// A holder that was taken for dead may end its turn beside its successor. That is one end, stated by two runs, where a
    /// fault explains the second run, each statement has its own run that ended so, and both say the same of one turn.
    static func judgeDoubleEnds(_ input: AuditInput, _ report: inout AuditReport) {
        guard input.faults != nil else { return }
        let suspects = Set(report.settledTwice)
        let ends = Dictionary(
            grouping: input.statements.filter {
                $0.outcome.outcomeClass != .again && suspects.contains(WorkKey($0.coordinate))
            },
            by: { WorkKey($0.coordinate) })
        let explained = Set(report.repetitions.filter { $0.unexplained == 0 }.map(\.coordinate))
        report.endedByBoth = report.settledTwice.filter { key in
            let statements = Set(ends[key] ?? [])
            guard let first = statements.first, explained.contains(first.coordinate),
                statements.allSatisfy({ $0.coordinate == first.coordinate && $0.outcome == first.outcome }),
                Set(statements.map(\.worker)).count == statements.count
            else { return false }
            let result: ExecutionLine.Result
            switch first.outcome {
            case .completed: result = .succeeded
            case .dead: result = .failed
            default: return false
            }
            let ran = input.executions.filter { $0.coordinate == first.coordinate && $0.result == result }.map(\.worker)
            return Set(ran).isSuperset(of: statements.map(\.worker))
        }
        report.settledTwice.removeAll(where: Set(report.endedByBoth).contains)
    }

    /// A process that dies twice while an event runs alone among suspects buries it, whoever killed the process.
    static let deadlyKills = 2

    /// Which deaths so many kills may have caused.
    static func judgeDeaths(_ input: AuditInput, _ report: inout AuditReport) {
        let timeline = FaultTimeline(input.faults ?? [])
        let kills = Dictionary(grouping: input.executions.filter { timeline.wasKilled($0) }, by: \.coordinate)
        for statement in input.statements where statement.outcome == .dead {
            guard kills[statement.coordinate]?.count ?? 0 >= deadlyKills else { continue }
            report.killedTooOften.insert(statement.coordinate.fingerprint)
        }
    }

    /// Nothing starts once the end of its work can be read.
    static func judgeStarts(_ input: AuditInput, _ report: inout AuditReport) {
        let timeline = FaultTimeline(input.faults ?? [])
        report.startedAfterEnd = input.executions.filter { run in
            guard let end = input.endReadAt[WorkKey(run.coordinate)], run.start - end > readingTime else {
                return false
            }
            return !timeline.isBlind(run.processID, at: run.start)
        }.map(\.coordinate).sorted()
    }

    /// Every nominal time that a schedule has decided came to one completed event, and to no other.
    static func judgeSchedules(_ input: AuditInput, _ report: inout AuditReport) {
        let completed = Set(input.statements.filter { $0.outcome == .completed }.map(\.coordinate.fingerprint))
        let repeated = Set(report.repetitions.filter { $0.unexplained > 0 }.map(\.coordinate.fingerprint))
        var fired: [NominalTime: Set<Fingerprint>] = [:]
        for emission in input.emissions {
            guard let fire = emission.fire else { continue }
            fired[NominalTime(schedule: fire.schedule, time: fire.nominal), default: []]
                .insert(emission.coordinate.fingerprint)
        }
        for schedule in input.schedules {
            for time in schedule.nominalTimes {
                let fingerprint = schedule.fingerprint(of: time)
                let nominal = NominalTime(schedule: schedule.id, time: time)
                if !completed.contains(fingerprint), !report.killedTooOften.contains(fingerprint) {
                    report.missedTimes.append(nominal)
                }
                let isOne = (fired.removeValue(forKey: nominal) ?? [fingerprint]) == [fingerprint]
                if !isOne || repeated.contains(fingerprint) { report.doubledTimes.append(nominal) }
            }
        }
        report.doubledTimes += fired.keys.sorted { ($0.schedule, $0.time) < ($1.schedule, $1.time) }
    }
}
