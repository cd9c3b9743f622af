import TaskModel

/// How old the oldest undecided event was, time and again: the harness's own view, from the log.
struct Pulse: Hashable, Sendable {
    struct Beat: Hashable, Sendable {
        var at: Timestamp
        /// Milliseconds.
        var age: Int64
    }

    /// An age (milliseconds) from which on work flows.
    static let healthy: Int64 = 1000

    var beats: [Beat] = []

    /// How long after the end of a fault its effect is looked for (milliseconds): a killed process is missed only when its
    /// session has ended, and what it left shows a while later.
    static let notice: Int64 = 12_000

    /// Milliseconds from the end of the fault until work flows again, 0 where it never ceased to; nil when it does not, up
    /// to the last beat. With faults every few seconds, the effect of the next one counts too.
    func recovery(from fault: FaultWindow) -> Int64? {
        let late = beats.last {
            $0.at >= fault.start && $0.at <= fault.end + Self.notice && $0.age >= Self.healthy
        }
        guard let late else { return (beats.last?.at).flatMap { $0 >= fault.end ? 0 : nil } }
        let from = max(late.at, fault.end)
        return beats.first { $0.at >= from && $0.age < Self.healthy }.map { $0.at - fault.end }
    }

    /// Of sorted or unsorted numbers; nil of none.
    static func quantile(_ share: Double, of numbers: [Int64]) -> Int64? {
        guard !numbers.isEmpty else { return nil }
        return numbers.sorted()[min(numbers.count - 1, Int(share * Double(numbers.count)))]
    }
}

/// The line of one kind of fault: how many, and how soon work flowed again.
struct RecoveryLine: Hashable, Sendable {
    var kind: FaultWindow.Kind
    var count: Int
    var median: Int64?
    var longest: Int64?
    var open: Int

    static func all(_ faults: [FaultWindow], _ pulse: Pulse) -> [RecoveryLine] {
        FaultWindow.Kind.allCases.compactMap { kind in
            let found = faults.filter { $0.kind == kind }
            guard !found.isEmpty else { return nil }
            let times = found.compactMap(pulse.recovery)
            return RecoveryLine(
                kind: kind, count: found.count, median: Pulse.quantile(0.5, of: times), longest: times.max(),
                open: found.count - times.count)
        }
    }

    var note: Check {
        let median = median.map { "\($0)" } ?? "-"
        let longest = longest.map { "\($0)" } ?? "-"
        return Check(
            note: "  \(kind.rawValue): times, recovery p50/max ms",
            "\(count), \(median)/\(longest)" + (open > 0 ? ", \(open) never" : ""))
    }
}
