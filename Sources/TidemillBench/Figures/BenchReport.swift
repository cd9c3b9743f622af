/// A workload's result as it is kept.
struct WorkloadResult: Codable, Sendable {
    var workload: String
    /// `sqlite`, `kafka`, or `-` when it needs none.
    var engine: String
    var settings: [String: String]
    var metrics: [Metric]
    var processes: [ProcessUse]
    /// Of 1, 5 and 15 minutes, at the start.
    var loadAverage: [Double]
    var seconds: Double
    /// Why it failed, or what must not happen and did; empty when all is well.
    var problems: [String]
}

/// All of a run: one JSON file.
struct BenchReport: Codable, Sendable {
    var startedAt: String
    var isQuick: Bool
    var versions: [String: String]
    var machine: MachineFacts
    var settings: [String: String]
    var results: [WorkloadResult] = []
}

/// The same for people, as Markdown.
struct BenchTable {
    let report: BenchReport

    var text: String {
        var lines = [heading, ""]
        var rows = [["workload", "engine", "figure", "Tidemill", "floor", "ratio"]]
        for result in report.results {
            for metric in result.metrics {
                rows.append([
                    result.workload, result.engine, metric.name, Self.text(metric.value, metric.unit),
                    metric.floor.map { Self.text($0, metric.unit) } ?? "",
                    metric.ratio.map { "\(Int(($0 * 100).rounded())) %" } ?? "",
                ])
            }
        }
        lines += Self.aligned(rows, rightFrom: 3) + [""]
        lines += notes
        rows = [["workload", "engine", "process", "CPU µs per task", "peak MiB"]]
        for result in report.results {
            for use in result.processes {
                rows.append([
                    result.workload, result.engine, use.name,
                    use.cpuMicrosecondsPerTask.map { Self.number($0) } ?? "",
                    use.peakMebibytes.map { Self.number($0) } ?? "",
                ])
            }
        }
        lines += Self.aligned(rows, rightFrom: 3)
        let problems = report.results.flatMap { result in
            result.problems.map { "* \(result.workload) (\(result.engine)): \($0)" }
        }
        if !problems.isEmpty { lines += ["", "Problems:", ""] + problems }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What each workload was set to, how long it took, and the single rounds behind a mean.
    private var notes: [String] {
        let lines = report.results.map { result in
            let settings = result.settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            let samples = result.metrics.filter { $0.samples.count > 1 }.map { metric in
                "\(metric.name): " + metric.samples.map { Self.number($0) }.joined(separator: " ") + " \(metric.unit)"
            }
            let load = Self.number(result.loadAverage.first ?? 0)
            let facts = settings + ["\(Self.number(result.seconds)) s", "load \(load)"] + samples
            return "* \(result.workload) (\(result.engine)): " + facts.joined(separator: "; ")
        }
        return lines.isEmpty ? [] : lines + [""]
    }

    private var heading: String {
        let versions = report.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let settings = report.settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let machine = report.machine
        let load = report.results.compactMap(\.loadAverage.first)
        return "\(report.startedAt), \(report.isQuick ? "quick" : "full") run, \(machine.cores) cores "
            + "(\(machine.processor)), \(Self.number(machine.memoryGibibytes)) GiB, load "
            + "\(Self.number(load.min() ?? 0)) to \(Self.number(load.max() ?? 0)) at the starts of the workloads; "
            + versions.joined(separator: ", ") + "; " + settings.joined(separator: ", ")
    }

    static func text(_ value: Metric.Value, _ unit: String) -> String {
        switch value {
        case .number(let number): unit.isEmpty ? Self.number(number) : "\(Self.number(number)) \(unit)"
        case .spread(let spread):
            [spread.p50, spread.p95, spread.p99, spread.max].map { milliseconds($0) }.joined(separator: " / ") + " ms"
        }
    }

    /// Three significant digits below a thousand; whole numbers in groups above.
    static func number(_ value: Double) -> String {
        let size = abs(value)
        if size >= 100 { return grouped(Int(value.rounded())) }
        return decimal(value, digits: size >= 10 ? 1 : size >= 1 || size == 0 ? 2 : 3)
    }

    private static func milliseconds(_ nanoseconds: UInt64) -> String { number(Double(nanoseconds) / 1e6) }

    private static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    private static func decimal(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((value * scale).rounded())
        let fraction = String(scaled.magnitude % UInt(scale))
        let whole = scaled.magnitude / UInt(scale)
        let padded = String(repeating: "0", count: digits - fraction.count) + fraction
        return (scaled < 0 ? "-" : "") + "\(whole).\(padded)"
    }

    /// The first row is the heading; columns from `rightFrom` on are numbers.
    private static func aligned(_ rows: [[String]], rightFrom: Int) -> [String] {
        guard rows.count > 1 else { return [] }
        let widths = rows[0].indices.map { column in max(3, rows.map { $0[column].count }.max() ?? 0) }
        func line(_ row: [String]) -> String {
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column >= rightFrom ? space + cell : cell + space
            }
            return "| " + cells.joined(separator: " | ") + " |"
        }
        let rule = widths.enumerated().map { column, width in
            column >= rightFrom ? String(repeating: "-", count: width - 1) + ":" : String(repeating: "-", count: width)
        }
        return [line(rows[0]), "| " + rule.joined(separator: " | ") + " |"] + rows.dropFirst().map(line)
    }
}
