import CRawFloor
import Foundation
import Synchronization
import TaskModel
import TidemillHarness

/// One run of the program: its workloads one after the other, and what they found.
final class BenchSession: Sendable {
    let arguments: BenchArguments
    let engine: EngineChoice
    private let state: Mutex<State>

    private struct State {
        var workload = ""
        var start = BenchClock.monotonic()
        var stages = 0
    }

    convenience init(_ arguments: BenchArguments) { self.init(arguments, engine: arguments.engines[0]) }

    private init(_ arguments: BenchArguments, engine: EngineChoice) {
        self.arguments = arguments
        self.engine = engine
        state = Mutex(State())
    }

    /// A quick run starts no further workload after this long: it ends within ten minutes.
    private static let quickSeconds: Int64 = 540

    /// Whether nothing failed.
    func run() async throws -> Bool {
        let start = BenchClock.monotonic()
        let stamp = Timestamp(milliseconds: BenchClock.wall() / 1_000_000).rfc3339
        var report = BenchReport(
            startedAt: stamp, isQuick: arguments.isQuick, versions: versions, machine: .current(), settings: settings)
        let name = "bench-" + stamp.prefix(19).filter { $0 != ":" }
        for (index, engine) in arguments.engines.enumerated() {
            for workload in Workload.all where arguments.workloads.contains(workload.name) && !Task.isCancelled {
                // What needs no engine runs once.
                guard workload.needsEngine || index == 0 else { continue }
                let session = BenchSession(arguments, engine: engine)
                let isLate = arguments.isQuick && BenchClock.monotonic() - start > Self.quickSeconds * 1_000_000_000
                report.results.append(await session.measure(workload, isLate: isLate))
                // After each, so that a run that is interrupted leaves what it has.
                try write(report, name)
            }
        }
        let table = BenchTable(report: report).text
        print(table)
        let seconds = (BenchClock.monotonic() - start) / 1_000_000_000
        BenchProgram.note("written after \(seconds) s: \(arguments.output)/\(name).json and .md")
        return report.results.allSatisfy(\.problems.isEmpty)
    }

    private func measure(_ workload: Workload, isLate: Bool) async -> WorkloadResult {
        state.withLock { $0.workload = workload.name }
        let start = BenchClock.monotonic()
        var result = WorkloadResult(
            workload: workload.name, engine: workload.needsEngine ? engineName : "-", settings: [:], metrics: [],
            processes: [], loadAverage: MachineFacts.loadAverage(), seconds: 0, problems: [])
        if isLate {
            result.problems = ["left out: the run has taken \(Self.quickSeconds) s already"]
            return result
        }
        progress("starts")
        do {
            let findings = try await workload.run(self)
            result.settings = findings.settings
            result.metrics = findings.metrics
            result.processes = findings.processes
            result.problems = findings.violations
        } catch {
            result.problems = [Task.isCancelled ? "interrupted" : "\(error)"]
        }
        result.seconds = Double(BenchClock.monotonic() - start) / 1e9
        for metric in result.metrics {
            let floor = metric.floor.map { ", floor \(BenchTable.text($0, metric.unit))" } ?? ""
            progress("\(metric.name): \(BenchTable.text(metric.value, metric.unit))\(floor)")
        }
        for problem in result.problems { progress("PROBLEM: \(problem)") }
        return result
    }

    private func write(_ report: BenchReport, _ name: String) throws {
        try FileManager.default.createDirectory(atPath: arguments.output, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(report).write(to: URL(fileURLWithPath: "\(arguments.output)/\(name).json"))
        try Data(BenchTable(report: report).text.utf8).write(to: URL(fileURLWithPath: "\(arguments.output)/\(name).md"))
    }

    private var versions: [String: String] {
        arguments.versions.merging([
            "Tidemill": TidemillVersion.current,
            "librdkafka": String(cString: raw_floor_librdkafka_version()),
            "SQLite": String(cString: raw_floor_sqlite_version()),
        ]) { $1 }
    }

    private var settings: [String: String] {
        [
            "payload": "\(arguments.payloadBytes) B", "workers": "\(arguments.workers)",
            "concurrency": "\(arguments.concurrency)", "partitions": "\(arguments.partitions)",
        ]
    }

    // MARK: For workloads

    var isKafka: Bool { if case .kafka = engine { true } else { false } }
    private var engineName: String { isKafka ? "kafka" : "sqlite" }

    /// A line for people, with the time since the workload began.
    func progress(_ text: String) {
        let (workload, start) = state.withLock { ($0.workload, $0.start) }
        let seconds = (BenchClock.monotonic() - start) / 1_000_000_000
        BenchProgram.note("[\(workload) \(engineName) \(seconds) s] \(text)")
    }

    /// The number of events: what the caller asked for, else the workload's own.
    func events(quick: Int, full: Int) -> Int { arguments.events ?? (arguments.isQuick ? quick : full) }

    /// The workload's own number of anything else.
    func size<Number>(quick: Number, full: Number) -> Number { arguments.isQuick ? quick : full }

    func makePlace(concurrency: Int?, partitions: Int?) throws -> BenchPlace {
        let (workload, number) = state.withLock { state in
            state.stages += 1
            return (state.workload, state.stages)
        }
        let name = "\(workload)-\(engineName)-\(number)"
        let folder = "\(arguments.folder)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let nonce = String(UInt32.random(in: .min ... .max), radix: 16)
        return BenchPlace(
            folder: folder, engine: engine, prefix: "bench-\(nonce)-\(workload)-\(number).",
            partitions: partitions ?? arguments.partitions, concurrency: concurrency ?? arguments.concurrency)
    }

    /// CPU time of all brokers that the caller named, now; nil without any.
    func brokerReading() -> ProcessReading? {
        let readings = arguments.brokerProcesses.compactMap { ProcessReading(of: $0) }
        guard isKafka, var sum = readings.first else { return nil }
        for reading in readings.dropFirst() {
            sum.cpuMicroseconds += reading.cpuMicroseconds
            sum.peakKibibytes += reading.peakKibibytes
        }
        return sum
    }
}

extension ProcessUse {
    init(_ name: String, _ reading: ProcessReading?, since used: Double = 0, tasks: Int) {
        self.init(
            name: name, cpuMicrosecondsPerTask: reading.map { ($0.cpuMicroseconds - used) / Double(max(1, tasks)) },
            peakMebibytes: reading.map { $0.peakKibibytes / 1024 })
    }
}
