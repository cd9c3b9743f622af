import TaskTelemetry
import Testing

@testable import KafkaClient

struct KafkaConfigurationTests {
    @Test func secretsAreNeverShown() throws {
        let secrets = [
            "sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.config",
            "sasl.oauthbearer.client.secret", "SASL.PASSWORD",
        ]
        var properties = ["bootstrap.servers": "broker:9092", "sasl.username": "worker"]
        for name in secrets { properties[name] = "hunter2" }
        let configuration = KafkaConfiguration(properties)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), "\([configuration])", dumped] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("broker:9092"))
        }
    }

    @Test func aSecretThatIsRefusedIsNotQuoted() {
        let configuration = KafkaConfiguration(["sasl.oauthbearer.client.secret.x": "hunter2"])
        #expect {
            _ = try KafkaHandle(.producer, configuration, events: 0, logger: Logger())
        } throws: { error in
            let text = "\(error)"
            return text.contains("sasl.oauthbearer.client.secret.x") && !text.contains("hunter2")
        }
    }

    @Test func whatCorrectnessRestsOnCannotBeOverridden() {
        let mine = KafkaConfiguration(["acks": "0", "linger.ms": "5"])
        let complete = mine.withDefaults(["linger.ms": "1", "x": "y"]).requiring(["acks": "all"])
        #expect(complete.properties == ["acks": "all", "linger.ms": "5", "x": "y"])
    }
}

struct KafkaLogBridgeTests {
    private let bridge = KafkaLogBridge(logger: Logger())

    private func level(_ facility: String, _ text: String, syslog: Int32 = 3, at seconds: Int64 = 0) -> LogLevel {
        bridge.level(syslogLevel: syslog, facility: facility, text: text, uptimeSeconds: seconds)
    }

    @Test func aBrokerThatIsAwayIsToldOnceAMinute() {
        let text = "127.0.0.1:9092/1: Connect to ipv4#127.0.0.1:9092 failed: Connection refused"
        #expect(level("FAIL", text, at: 0) == .warning)
        #expect(level("FAIL", text, at: 1) == .debug)
        #expect(level("FAIL", text, at: 59) == .debug)
        #expect(level("FAIL", text, at: 60) == .warning)
        #expect(level("FAIL", text, at: 61) == .debug)
    }

    @Test func whatPassesByItselfIsNotShown() {
        #expect(level("GETPID", "Failed to acquire PID: Coordinator load in progress: retrying") == .debug)
        #expect(level("CONFWARN", "linger.ms is a producer property", syslog: 4) == .debug)
    }

    @Test func otherLinesKeepTheirWeight() {
        #expect(level("X", "broken", syslog: 3) == .error)
        #expect(level("X", "odd", syslog: 4) == .warning)
        #expect(level("X", "new", syslog: 6) == .info)
        #expect(level("X", "detail", syslog: 7) == .debug)
    }
}

struct GroupGenerationTests {
    @Test func isReadFromLibrdkafkasOwnBytes() {
        var bytes = Array("CGMDv2:".utf8) + withUnsafeBytes(of: Int32(42)) { Array($0) } + Array("group\0".utf8)
        #expect(bytes.withUnsafeBytes { GroupGeneration.parse($0) } == 42)
        bytes[5] = UInt8(ascii: "3")
        #expect(bytes.withUnsafeBytes { GroupGeneration.parse($0) } == nil, "a version not known")
        #expect(Array("CGMDv2:".utf8).withUnsafeBytes { GroupGeneration.parse($0) } == nil)
        let none = Array("CGMDv2:".utf8) + withUnsafeBytes(of: Int32(-1)) { Array($0) }
        #expect(none.withUnsafeBytes { GroupGeneration.parse($0) } == nil, "no generation yet")
    }
}

struct DeliverySlabTests {
    @Test func placesAreUsedAgainAndTakenOnce() {
        var slab = DeliverySlab()
        let batch = ProduceBatch(count: 3)
        let first = slab.insert(.init(batch: batch, index: 0))
        let second = slab.insert(.init(batch: batch, index: 1))
        #expect(first != second && slab.count == 2)
        #expect(slab.take(first)?.index == 0)
        #expect(slab.take(first) == nil)
        #expect(slab.insert(.init(batch: batch, index: 2)) == first)
        #expect(slab.takeAll().count == 2)
        #expect(slab.count == 0)
        #expect(slab.take(99) == nil)
    }
}

struct BlockingPoolTests {
    @Test func runsMoreCallsThanItHasThreads() async throws {
        let pool = BlockingPool(maximumThreads: 2)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<50 { group.addTask { try await pool.run { number } } }
            return try await group.reduce(0, +)
        }
        #expect(sum == 49 * 50 / 2)
        pool.close()
        await #expect(throws: KafkaError(.closed)) { try await pool.run {} }
    }
}
