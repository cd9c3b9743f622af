internal import Foundation
import Synchronization

/// Counts what became of the cases, and prints one line per engine once all of them have been run on it:
/// `conformance <engine>: N passed, M skipped`.
package enum ConformanceReport {
    package enum Verdict: Sendable { case passed, skipped, failed }

    private struct Tally {
        var passed = 0
        var skipped = 0
        var failed = 0
    }

    private static let tallies = Mutex<[String: Tally]>([:])

    package static func note(_ verdict: Verdict, engine: String) {
        let tally = tallies.withLock { tallies in
            switch verdict {
            case .passed: tallies[engine, default: Tally()].passed += 1
            case .skipped: tallies[engine, default: Tally()].skipped += 1
            case .failed: tallies[engine, default: Tally()].failed += 1
            }
            return tallies[engine, default: Tally()]
        }
        guard tally.passed + tally.skipped + tally.failed == LogConformance.cases.count else { return }
        let failures = tally.failed == 0 ? "" : ", \(tally.failed) FAILED"
        writeLine("conformance \(engine): \(tally.passed) passed, \(tally.skipped) skipped\(failures)")
    }
}

/// Says what was not checked. A skip that nobody sees would look like a pass.
package enum SkipReport {
    /// Prints `skip: <engine> <case>: <reason>` and counts it.
    package static func skip(engine: String, case name: String, reason: String) {
        writeLine("skip: \(engine) \(name): \(reason)")
        ConformanceReport.note(.skipped, engine: engine)
    }
}

/// One write per line, so that tests running beside each other do not mix their lines.
private func writeLine(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
