internal import TaskLog
import TaskTestKit
import Testing

/// The conformance suite on the in-memory engine.
@Suite struct MemoryEngineTests {
    @Test(arguments: LogConformance.cases)
    func conforms(to promise: ConformanceCase) async throws {
        try await LogConformance.run(promise, on: makeMemoryEngine(prefix: promise.slug))
    }
}

/// The in-memory engine on a clock that only the case moves.
func makeMemoryEngine(prefix: String) -> EngineUnderTest {
    let time = ManualTimeSource()
    let broker = MemoryBroker(time: time)
    var engine = EngineUnderTest(
        name: "memory", topicPrefix: prefix, capabilities: Set(EngineCapability.allCases)
    ) { MemoryTaskLog(broker: broker) }
    engine.vanish = { member in
        guard let member = member as? MemoryGroupMember else { throw ConformanceFailure("a foreign member") }
        member.vanish()
    }
    engine.elapse = { time.advance(milliseconds: $0) }
    engine.compact = { broker.compact($0, dropsTombstones: true) }
    engine.applyRetention = { _, milliseconds in
        time.advance(milliseconds: milliseconds)
        broker.applyRetention()
    }
    engine.brokerNow = { time.now() }
    return engine
}
