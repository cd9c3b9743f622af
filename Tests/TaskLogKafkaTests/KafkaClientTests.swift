import RecordFormat
import Synchronization
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
    private let delivery = KafkaDelivery(offset: 1, timestampMilliseconds: 2)

    @Test func placesAreUsedAgainWhenTheirBatchIsSettled() {
        var slab = DeliverySlab()
        let first = slab.insert(ProduceBatch(count: 2))
        let second = slab.insert(ProduceBatch(count: 1))
        #expect(first != second && slab.count == 3)
        _ = slab.finish(RecordOpaque(place: first, index: 0), .success(delivery))
        #expect(slab.count == 2)
        let third = slab.insert(ProduceBatch(count: 1))
        #expect(third != first, "one of its records is on its way")
        _ = slab.finish(RecordOpaque(place: first, index: 1), .success(delivery))
        #expect(slab.insert(ProduceBatch(count: 4)) == first)
        #expect(slab.count == 6)
    }

    @Test func aRecordIsSettledOnce() {
        var slab = DeliverySlab()
        let batch = ProduceBatch(count: 2)
        let place = slab.insert(batch)
        _ = slab.finish(RecordOpaque(place: place, index: 0), .success(delivery))
        _ = slab.finish(RecordOpaque(place: place, index: 0), .failure(KafkaError(.closed)))
        _ = slab.finish(RecordOpaque(place: 99, index: 0), .failure(KafkaError(.closed)))
        #expect(slab.count == 1)
        #expect(slab.finishAll(.failure(KafkaError(.closed))).isEmpty, "nobody waits")
        #expect(slab.count == 0)
        #expect(throws: Never.self) { try batch.results[0]?.get() }
        #expect(throws: KafkaError(.closed)) { try batch.results[1]?.get() }
    }

    @Test func aRecordOnItsOwnWakesItsCallerWithItsFate() async throws {
        let slab = Mutex(DeliverySlab())
        for delivers in [true, false] {
            let fate = await withCheckedContinuation { continuation in
                let waiters = slab.withLock { slab -> [DeliveryWaiter] in
                    let place = slab.insert(continuation)
                    #expect(place == 0 && slab.count == 1)
                    guard delivers else { return slab.finishAll(.failure(KafkaError(.closed))) }
                    let opaque = RecordOpaque(place: place, index: 0)
                    let waiter = slab.finish(opaque, .success(delivery))
                    if slab.finish(opaque, .success(delivery)) != nil { Issue.record("it is settled") }
                    return [waiter].compactMap(\.self)
                }
                #expect(waiters.count == 1 && slab.withLock { $0.count } == 0)
                for waiter in waiters { waiter.wake() }
            }
            #expect(fate == (delivers ? .success(delivery) : .failure(KafkaError(.closed))))
        }
    }

    @Test func theOpaqueOfARecordIsNeverNull() {
        for opaque in [RecordOpaque(place: 0, index: 0), RecordOpaque(place: 70_000, index: 0x7fff_ffff - 1)] {
            #expect(opaque.pointer != nil)
            #expect(RecordOpaque(opaque.pointer) == opaque)
        }
        #expect(RecordOpaque(nil) == nil)
    }

    @Test func runsKeepTheOrderAndSplitByTopicAndHeaders() {
        func record(_ topic: String, _ headers: Int) -> KafkaOutgoing {
            KafkaOutgoing(
                partition: KafkaPartition(topic, 0), key: nil, value: [],
                headers: RecordHeaders(Array(repeating: RecordHeader("h", nil as [UInt8]?), count: headers)))
        }
        let records = [record("a", 0), record("a", 0), record("a", 1), record("b", 1), record("b", 0), record("a", 0)]
        let runs = TopicRun.split(records)
        #expect(runs.map(\.topic) == ["a", "a", "b", "b", "a"])
        #expect(runs.map(\.isBare) == [true, false, false, true, true])
        #expect(runs.map(\.range) == [0..<2, 2..<3, 3..<4, 4..<5, 5..<6])
        #expect(TopicRun.split([]).isEmpty)
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
