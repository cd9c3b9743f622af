import Foundation

/// What the system says about a process.
struct ProcessFacts: Hashable, Sendable {
    /// Resident, in KiB.
    var memory: Int
    var descriptors: Int

    /// Nil where there is no `/proc`, or no such process.
    init?(processID: Int32) {
        let folder = "/proc/\(processID)"
        guard let status = try? String(contentsOfFile: "\(folder)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let memory = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) }),
            let entries = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/fd")
        else { return nil }
        self.memory = memory
        descriptors = entries.count
    }
}

/// The facts of each process of a run: soon after its start, and last.
struct ProcessCensus: Sendable {
    private struct Entry: Sendable {
        var role: Roster.Role
        var seen = 0
        var first: ProcessFacts?
        var last: ProcessFacts?
    }

    /// Looks (one a second) until a process counts as started.
    private static let settled = 10

    private var entries: [Int32: Entry] = [:]

    mutating func look(_ members: [Roster.Member]) {
        for member in members {
            guard let child = member.child, let facts = ProcessFacts(processID: child.processID) else { continue }
            var entry = entries[child.processID] ?? Entry(role: member.role)
            entry.seen += 1
            if entry.seen == Self.settled { entry.first = facts }
            if entry.seen >= Self.settled { entry.last = facts }
            entries[child.processID] = entry
        }
    }

    func notes(_ role: Roster.Role, name: String, stillRunning: [Roster.Member]) -> [Check] {
        let running = Set(stillRunning.compactMap { $0.child?.processID })
        let started = entries.values.filter { $0.role == role }.compactMap(\.first)
        let ended = entries.filter { $0.value.role == role && running.contains($0.key) }.values.compactMap(\.last)
        func most(_ facts: [ProcessFacts], _ path: KeyPath<ProcessFacts, Int>) -> String {
            facts.map { $0[keyPath: path] }.max().map(String.init) ?? "-"
        }
        return [
            Check(
                note: "\(name) memory KiB at start/end, at most", "\(most(started, \.memory))/\(most(ended, \.memory))"),
            Check(
                note: "\(name) descriptors at start/end, at most",
                "\(most(started, \.descriptors))/\(most(ended, \.descriptors))"),
        ]
    }
}
