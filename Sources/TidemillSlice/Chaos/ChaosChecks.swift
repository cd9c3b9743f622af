import TaskModel

/// What must hold after a chaos run, and what is told beside it.
struct ChaosChecks: Sendable {
    var options: ChaosOptions
    var result: ChaosResult
    var report: AuditReport
    var letters: [DeadLetterKey: DeathReason]
    var faults: [FaultWindow]
    var pulse: Pulse
    var badEnds: Int
    var processes: [Check]

    var all: [Check] {
        let dead = Set(letters.keys.map(\.fingerprint))
        let buried = Set(letters.filter { $0.value == .workerLost }.keys.map(\.fingerprint))
            .intersection(report.killedTooOften).subtracting(result.doomed)
        let doomed = result.doomed.union(buried)
        return [
            Check(note: "accepted", result.accepted.count),
            Check(note: "  sent again by the publisher", result.repeats),
            Check(note: "fires owed by schedules", result.allAccepted.count - result.accepted.count),
            Check("completed", report.completed, equals: result.allAccepted.count - doomed.count),
            Check("dead (those that always fail)", report.dead, equals: doomed.count),
            Check(note: "  buried after two kills while they ran", buried.count),
            Check("dead, but not by plan", dead.subtracting(doomed).count, equals: 0),
        ] + report.invariants + causes + [
            Check(note: "turns ended alike by both runs that a fault explains", report.endedByBoth.count),
            Check("started after a readable end", report.startedAfterEnd.count, equals: 0),
            Check("nominal times missed", report.missedTimes.count, equals: 0),
            Check("nominal times doubled", report.doubledTimes.count, equals: 0),
            Check("processes that ended badly", badEnds, equals: 0),
            Check(
                note: "age of the oldest undecided, ms p50/p99/max",
                [0.5, 0.99, 1].map { Pulse.quantile($0, of: pulse.beats.map(\.age)).map(String.init) ?? "-" }
                    .joined(separator: "/")),
        ] + RecoveryLine.all(faults, pulse).map(\.note) + neverInjected + processes
    }

    /// Short runs do not come to all.
    private var neverInjected: [Check] {
        let missing = options.faults.filter { kind in !faults.contains { $0.kind == kind } }
        return missing.isEmpty ? [] : [Check(note: "  never injected", missing.map(\.rawValue).joined(separator: " "))]
    }

    private var causes: [Check] {
        let found = report.repetitions.flatMap(\.causes)
        return FaultWindow.Kind.allCases.compactMap { kind in
            let count = found.count { $0 == kind }
            return count > 0 ? Check(note: "  explained by \(kind.rawValue)", count) : nil
        }
    }
}
