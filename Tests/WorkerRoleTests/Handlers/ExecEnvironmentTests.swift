import TaskModel
import Testing

@testable import WorkerRole

@Suite struct ExecEnvironmentTests {
    private let own = ["PATH": "/bin", "HOME": "/home/a", "KAFKA_PASSWORD": "secret", "TRACEPARENT": "of-the-worker"]

    @Test func onlyListedNamesAreInheritedAndTheEventWins() throws {
        let configuration = ExecConfiguration(
            ["true"], environment: ["HOME": "/srv", "TIDEMILL_TASK": "forged", "MODE": "fast"],
            inherit: ["PATH", "HOME", "TRACEPARENT"])
        let variables = try ExecEnvironment.variables(
            for: Fixture.context(), configuration: configuration, own: own)
        #expect(
            variables == [
                "PATH": "/bin", "HOME": "/srv", "MODE": "fast", "TIDEMILL_TASK": "report", "TIDEMILL_QUEUE": "default",
                "TIDEMILL_ID": "id-1", "TIDEMILL_SOURCE": "/tests",
                "TIDEMILL_FINGERPRINT": "00112233445566778899aabbccddeeff",
                "TIDEMILL_IDEMPOTENCY_KEY": "00112233445566778899aabbccddeeff", "TIDEMILL_REPLAY": "0",
                "TIDEMILL_TURN": "1", "TIDEMILL_ATTEMPT": "1", "TIDEMILL_FENCING_TOKEN": "3-7-2",
                "TIDEMILL_WORKER": "worker-1", "TIDEMILL_STANDS_FOR": "1",
                "TIDEMILL_DEADLINE": "2023-11-14T22:13:20Z",
            ])
    }

    @Test func attributesThatTheEventHasAreSet() throws {
        let context = Fixture.context { event in
            event.replay = 2
            event.turn = 4
            event.attempt = 3
            event.contentType = "text/plain"
            event.partitionKey = "customer-7"
            event.scheduleID = "nightly"
            event.nominalTime = Timestamp(milliseconds: 0)
            event.dueAt = Timestamp(milliseconds: 1500)
            event.expiresAt = Timestamp(milliseconds: 2000)
            event.traceParent = "00-a-b-01"
        }
        let variables = try ExecEnvironment.variables(
            for: context, configuration: ExecConfiguration(["true"]), own: [:])
        let expected = [
            "TIDEMILL_REPLAY": "2", "TIDEMILL_TURN": "4", "TIDEMILL_ATTEMPT": "3",
            "TIDEMILL_CONTENT_TYPE": "text/plain", "TIDEMILL_PARTITION_KEY": "customer-7",
            "TIDEMILL_SCHEDULE_ID": "nightly", "TIDEMILL_NOMINAL_TIME": "1970-01-01T00:00:00Z",
            "TIDEMILL_DUE_AT": "1970-01-01T00:00:01.500Z", "TIDEMILL_EXPIRES_AT": "1970-01-01T00:00:02Z",
            "TRACEPARENT": "00-a-b-01",
        ]
        for (name, value) in expected { #expect(variables[name] == value, "\(name)") }
    }

    @Test func aNULInAnAttributeIsNotCutOffSilently() {
        let context = Fixture.context { $0.partitionKey = "a\0b" }
        #expect(throws: TaskFailure.self) {
            try ExecEnvironment.variables(for: context, configuration: ExecConfiguration(["true"]), own: [:])
        }
    }

    @Test func problemsNameTheirPlace() {
        #expect(ExecConfiguration(["true"]).problems.isEmpty)
        #expect(ExecConfiguration([]).problems == ["the command must name a program"])
        let bad = ExecConfiguration(
            ["true", "a\0b"], environment: ["A=B": "x", "C": "\0"], directory: "", killAfter: -1, drain: -1,
            outputLimit: -1)
        #expect(bad.problems.count == 7)
        #expect(throws: HandlerConfigurationError.self) { try ExecHandler(bad) }
    }
}
