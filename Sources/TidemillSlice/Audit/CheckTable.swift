/// One line of what people read: a fact, what it should be, and whether it is.
struct Check: Hashable, Sendable {
    var name: String
    var found: String
    var wanted: String
    var isOK: Bool

    /// A number that must be this one.
    init(_ name: String, _ found: Int, equals wanted: Int) {
        self.init(name, "\(found)", wanted: "\(wanted)", isOK: found == wanted)
    }

    init(_ name: String, _ found: Int, atLeast wanted: Int) {
        self.init(name, "\(found)", wanted: "≥ \(wanted)", isOK: found >= wanted)
    }

    init(_ name: String, _ found: String, wanted: String, isOK: Bool) {
        self.name = name
        self.found = found
        self.wanted = wanted
        self.isOK = isOK
    }

    /// A fact that is neither good nor bad.
    init(note name: String, _ found: String) { self.init(name, found, wanted: "", isOK: true) }

    init(note name: String, _ found: Int) { self.init(name, "\(found)", wanted: "", isOK: true) }
}

/// Checks as an aligned table.
enum CheckTable {
    static func render(_ title: String, _ checks: [Check]) -> String {
        let nameWidth = checks.map(\.name.count).max() ?? 0
        let foundWidth = checks.map(\.found.count).max() ?? 0
        let wantedWidth = checks.map(\.wanted.count).max() ?? 0
        let lines = checks.map { check in
            let verdict = !check.isOK ? "FAIL" : check.wanted.isEmpty ? "" : "ok"
            let line = "  " + pad(check.name, nameWidth) + "  " + leftPad(check.found, foundWidth)
            return verdict.isEmpty ? line : line + "  " + pad(check.wanted, wantedWidth) + "  " + verdict
        }
        return ([title] + lines).joined(separator: "\n") + "\n"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func leftPad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

extension AuditReport {
    /// What must hold after any run, whatever was done to it.
    var invariants: [Check] {
        [
            Check("lost", lost.count, equals: 0),
            Check("settled twice", settledTwice.count, equals: 0),
            Check(
                "dead without a letter, or a letter without a death", withoutLetter.count + withoutDeath.count,
                equals: 0),
            Check("completed, but no handler succeeded", completedUnseen.count, equals: 0),
            Check("ended or ran, but never accepted", unknown.count, equals: 0),
            Check(note: "handler runs", executions),
            Check(note: "  beyond one per coordinate", repeated),
            Check(note: "  explained by a fault", excused),
            Check("  unexplained", unexplained, equals: 0),
            Check("  of those, by SIGTERM", repeatedByTermination, equals: 0),
            Check("before their time", early.count, equals: 0),
            Check("orphans in retry", orphans.count, equals: 0),
        ]
    }

    /// The first few culprits of each kind, for the reader of a failure.
    var details: String {
        var lines: [String] = []
        func add(_ name: String, _ items: [String]) {
            guard !items.isEmpty else { return }
            lines.append("  \(name): " + items.prefix(5).joined(separator: " ") + (items.count > 5 ? " …" : ""))
        }
        add("lost", lost.map(\.description))
        add("settled twice", settledTwice.map(\.description))
        add("without letter", withoutLetter.map(\.description))
        add("without death", withoutDeath.map(\.description))
        add("completed unseen", completedUnseen.map(\.description))
        add("unknown", unknown.map(\.description))
        add("unexplained", repetitions.filter { $0.unexplained > 0 }.map(\.coordinate.description))
        add("early", early.map(\.description))
        add("orphans", orphans.map(\.description))
        add("started after the end", startedAfterEnd.map(\.description))
        add("nominal times missed", missedTimes.map(\.description))
        add("nominal times doubled", doubledTimes.map(\.description))
        return lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
    }
}
