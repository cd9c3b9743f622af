import Foundation
import TaskLog
import TaskLogKafka
import TaskTelemetry
import TaskTestKit

/// Real brokers, when there are any: `TIDEMILL_TEST_BOOTSTRAP` names them, or else `KAFKA_HOME` is a release that
/// `scripts/kafka` starts for the length of the test run.
enum RealKafka {
    /// Nil when there is none to test against; then the reason was printed.
    static let bootstrap: String? = {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["TIDEMILL_TEST_BOOTSTRAP"], !named.isEmpty { return named }
        guard let home = environment["KAFKA_HOME"], !home.isEmpty else {
            say("skip: kafka (real): neither KAFKA_HOME nor TIDEMILL_TEST_BOOTSTRAP is set")
            return nil
        }
        return start()
    }()

    /// Cases on shared brokers must not meet each other's topics, nor those of an earlier run.
    static let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)

    private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts/kafka")
    private static let port = 19_392

    private static func start() -> String? {
        let data = FileManager.default.temporaryDirectory.appending(path: "tidemill-kafka-\(run)")
        setenv("TIDEMILL_KAFKA_DIR", data.path, 1)
        guard let output = call("up"), let line = output.split(separator: "\n").last,
            line.hasPrefix("bootstrap: ")
        else {
            say("skip: kafka (real): scripts/kafka could not start brokers from KAFKA_HOME")
            return nil
        }
        atexit { _ = RealKafka.call("down", "--wipe") }
        return String(line.dropFirst("bootstrap: ".count))
    }

    private static func call(_ arguments: String...) -> String? {
        let process = Process()
        process.executableURL = script
        process.arguments = arguments + ["--port", String(port)]
        let output = Pipe()
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        // Brokers must not hold this pipe open: the script gives them files of their own.
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
    }

    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
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
