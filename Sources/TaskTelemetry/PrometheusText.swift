/// The text exposition format of Prometheus, version 0.0.4.
public enum PrometheusText {
    /// What to send as `Content-Type`.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Every series of `registry`, families by name and series by labels, so that two renderings differ only where
    /// values do. `process` adds the usual `process_…` metrics.
    public static func render(_ registry: MetricsRegistry, process: ProcessMetrics? = nil) -> String {
        var text = ""
        for (name, family) in registry.snapshot.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            render(name, family, to: &text)
        }
        if let process { render(process, to: &text) }
        return text
    }

    private static func render(_ name: String, _ family: MetricsRegistry.Family, to text: inout String) {
        let series = family.series.map { (labels: rendered($0.key), series: $0.value) }
            .sorted { $0.labels < $1.labels }
        let type =
            switch series[0].series {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        head(name, help: family.help, type: type, to: &text)
        for (labels, series) in series {
            switch series {
            case .counter(let counter): line(name, labels, "\(counter.value)", to: &text)
            case .gauge(let gauge): line(name, labels, number(gauge.value), to: &text)
            case .histogram(let histogram): render(name, labels, histogram, to: &text)
            }
        }
    }

    private static func render(
        _ name: String, _ labels: String, _ histogram: MetricHistogram, to text: inout String
    ) {
        let cells = histogram.snapshot
        let separator = labels.isEmpty ? "" : ","
        var cumulated: UInt64 = 0
        for (bound, count) in zip(histogram.bounds, cells.counts) {
            cumulated += count
            line("\(name)_bucket", "\(labels)\(separator)le=\"\(number(bound))\"", "\(cumulated)", to: &text)
        }
        line("\(name)_bucket", "\(labels)\(separator)le=\"+Inf\"", "\(cells.count)", to: &text)
        line("\(name)_sum", labels, number(cells.sum), to: &text)
        line("\(name)_count", labels, "\(cells.count)", to: &text)
    }

    private static func render(_ process: ProcessMetrics, to text: inout String) {
        func add(_ name: String, _ help: String, _ type: String, _ value: Double?) {
            guard let value else { return }
            head("process_\(name)", help: help, type: type, to: &text)
            line("process_\(name)", "", number(value), to: &text)
        }
        add("cpu_seconds_total", "User and system CPU time.", "counter", process.cpuSeconds)
        add("max_fds", "Limit of open file descriptors.", "gauge", process.maximumDescriptors.map(Double.init))
        add("open_fds", "Open file descriptors.", "gauge", process.openDescriptors.map(Double.init))
        add("resident_memory_bytes", "Resident memory.", "gauge", Double(process.residentBytes))
        add("start_time_seconds", "Start of the process since the Unix epoch.", "gauge", process.startSeconds)
        add("virtual_memory_bytes", "Virtual memory.", "gauge", Double(process.virtualBytes))
    }

    private static func head(_ name: String, help: String, type: String, to text: inout String) {
        text += "# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(type)\n"
    }

    private static func line(_ name: String, _ labels: String, _ value: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func rendered(_ labels: MetricLabels) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value, quotes: true))\"" }
            .joined(separator: ",")
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x0D || $0 == 0x22 }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            // Not an escape of the format, and a lone one ends a line for some readers.
            case "\r": result += " "
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// As Go prints floats: whole numbers without a fraction, the three specials by name.
    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return "\(value)"
    }
}
