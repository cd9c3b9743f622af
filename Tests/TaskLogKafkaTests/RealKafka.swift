import Foundation
import TaskLog
import TaskLogKafka
import TaskTelemetry
import TaskTestKit

/// Real brokers, when there are any: `TIDEMILL_TEST_BOOTSTRAP` names them, or else `KAFKA_HOME` is a release that
/// `scripts/kafka` starts for the length of the test run.
enum RealKafka {
    /// Whether we may start brokers of our own.
    static var hasHome: Bool { !(ProcessInfo.processInfo.environment["KAFKA_HOME"] ?? "").isEmpty }

    /// Nil when there is none to test against; then the reason was printed.
    static let bootstrap: String? = {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["TIDEMILL_TEST_BOOTSTRAP"], !named.isEmpty { return named }
        guard hasHome else {
            say("skip: kafka (real): neither KAFKA_HOME nor TIDEMILL_TEST_BOOTSTRAP is set")
            return nil
        }
        return start()
    }()

    /// Cases on shared brokers must not meet each other's topics, nor those of an earlier run.
    static let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)

    private static func start() -> String? {
        let cluster = KafkaScript(port: 19_392, brokers: 1)
        guard let bootstrap = cluster.up() else {
            say("skip: kafka (real): scripts/kafka could not start brokers from KAFKA_HOME")
            return nil
        }
        atexit { KafkaScript(port: 19_392, brokers: 1).wipe() }
        return bootstrap
    }

    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

/// `scripts/kafka`, with data in a temporary folder of this test run.
struct KafkaScript: Sendable {
    var port: Int
    var brokers: Int

    private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts/kafka")

    var directory: URL {
        FileManager.default.temporaryDirectory.appending(path: "tidemill-kafka-\(RealKafka.run)-\(port)")
    }

    /// The bootstrap list; nil when the brokers did not start. Starts those that do not run.
    func up() -> String? {
        guard let output = call("up", "--brokers", String(brokers)) else { return nil }
        guard let line = output.split(separator: "\n").last, line.hasPrefix("bootstrap: ") else { return nil }
        return String(line.dropFirst("bootstrap: ".count))
    }

    func wipe() { _ = call("down", "--wipe") }

    /// What a power failure does to a process.
    func kill(_ number: Int) throws {
        let text = try String(contentsOf: directory.appending(path: "node-\(number)/pid"), encoding: .utf8)
        guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { return }
        Foundation.kill(pid, SIGKILL)
    }

    private func call(_ arguments: String...) -> String? {
        let process = Process()
        process.executableURL = Self.script
        process.arguments = arguments + ["--port", String(port)]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["TIDEMILL_KAFKA_DIR": directory.path]
        ) { $1 }
        let output = Pipe()
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
    }
}

extension EngineUnderTest {
    static func realKafka(_ bootstrap: String, prefix: String) -> EngineUnderTest {
        let missing: [EngineCapability: String] = [
            .compactionOnDemand: "a broker compacts when it likes",
            .retentionOnDemand: "a broker deletes by its own clock",
            .memberVanish: "a member's heartbeats cannot be stopped from outside",
        ]
        var engine = EngineUnderTest(
            name: "kafka", topicPrefix: "\(prefix.prefix(150)).\(RealKafka.run)",
            capabilities: Set(EngineCapability.allCases).subtracting(missing.keys)
        ) {
            try KafkaTaskLog(KafkaLogConfiguration(properties: ["bootstrap.servers": bootstrap]), logger: Logger())
        }
        engine.missing = missing
        engine.sessionTimeoutMilliseconds = 6000
        engine.patienceSeconds = 120
        return engine
    }
}
