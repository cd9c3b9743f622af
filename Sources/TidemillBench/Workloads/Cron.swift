import Foundation

/// What it costs to find the next fire of a schedule: of some expressions again and again, and of the rows of the test
/// vectors once each, beside what cronsim and croniter take for them.
enum Cron {
    /// What `scripts/lib/cron-bench` writes.
    struct Peers: Decodable {
        struct Peer: Decodable {
            var name: String
            /// Nanoseconds.
            var median: Double
            var p99: Double
            var max: Double
        }

        var peers: [Peer]
        /// Packages that are not installed.
        var missing: [String]
    }

    /// No accepted expression may take longer.
    private static let longest: Double = 1_000_000

    static func run(_ session: BenchSession) async throws -> Findings {
        let calls = session.events(quick: 20_000, full: 500_000)
        let summary = try await Stage.with(session) { try await $0.probe(.cron(calls: calls)) }
        var findings = Findings(settings: ["calls": "\(calls)"])
        findings.metrics = CronProbe.expressions.map {
            Metric("next fire of \($0.expression), \($0.name)", summary.figure($0.name), "ns")
        }
        guard let path = session.arguments.cronRows else { return findings }
        let limit = session.size(quick: 4000, full: 1_000_000)
        let rows = try await Stage.with(session) { try await $0.probe(.cronRows(path: path, limit: limit)) }
        let count = Int(rows.figure(CronProbe.rows))
        findings.settings["rows"] = "\(count)"
        let slowest = rows.figure(CronProbe.slowest)
        findings.metrics += [
            Metric("next fire of \(count) rows, median", rows.figure(CronProbe.median), "ns"),
            Metric("next fire of \(count) rows, p99", rows.figure(CronProbe.p99), "ns"),
            Metric("next fire of \(count) rows, slowest", slowest, "ns"),
        ]
        if slowest > longest { findings.violations.append("a next fire took \(Int(slowest)) ns") }
        try addPeers(to: &findings, session)
        return findings
    }

    private static func addPeers(to findings: inout Findings, _ session: BenchSession) throws {
        guard let path = session.arguments.cronPeers else { return }
        let peers = try JSONDecoder().decode(Peers.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        for peer in peers.peers {
            findings.metrics += [
                Metric("the same rows, \(peer.name), median", peer.median, "ns"),
                Metric("the same rows, \(peer.name), p99", peer.p99, "ns"),
                Metric("the same rows, \(peer.name), slowest", peer.max, "ns"),
            ]
        }
        guard !peers.missing.isEmpty else { return }
        findings.settings["missing"] = peers.missing.joined(separator: " ")
        session.progress("not compared, for the Debian package is missing: \(peers.missing.joined(separator: ", "))")
    }
}
