import TaskClient
import TaskLog
import TaskModel
import Testing

struct CancelTests {
    @Test(arguments: [nil, "lane"])
    func aDueEventEndsInItsLedgerPartition(key: String?) async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.key = key
        let receipt = try await world.client.publish(request)
        let result = try await world.client.cancel(receipt.fingerprint, author: "ann@host", reason: "not needed")
        #expect(result == .cancelled(receipt.coordinate))
        let record = try #require(try await world.records(world.plan.names.ledger("default")).first)
        #expect(record.partition == receipt.place.partition)
        let entry = try LedgerRecord(fingerprint: receipt.fingerprint, value: try #require(record.value))
        #expect(entry.worker == "ann@host")
        #expect(entry.laneHash == key.map { Murmur2.hash(Array($0.utf8)) })
        guard case .outcome(let detail) = entry.body else {
            Issue.record("an outcome is expected")
            return
        }
        #expect(detail.outcome == .cancelled)
        #expect(detail.message == "not needed")
        let marker = try #require(try await world.records(world.plan.names.retry).first)
        #expect(RetryKey(marker.key) == .cancel(receipt.fingerprint, replay: 0))
        #expect(marker.value != nil)
        let journal = try #require(try await world.records(world.plan.names.journal).first)
        #expect(try JournalEntry(key: journal.key, value: journal.value).kind == .cancelled)
        let again = try await world.client.cancel(receipt.fingerprint, author: "bob", reason: "me too")
        #expect(again == .alreadyEnded(.cancelled(at: record.timestamp)))
    }

    @Test func aWaitingTurnIsWhatIsCancelled() async throws {
        let world = try await World()
        _ = try await world.client.publish(PublishRequest(task: "report"))
        let event = try await world.dueEvents()[0]
        try await world.decide(event, OutcomeDetail(.retrying, delay: 1000, nextAttempt: 2))
        let next = try await world.wait(event, delay: 1000)
        let result = try await world.client.cancel(event.fingerprint, author: "ann", reason: "stop")
        #expect(result == .cancelled(next.coordinate))
    }

    @Test func whatHasEndedOrIsUnknownIsSaid() async throws {
        let world = try await World()
        let event = sampleEvent()
        #expect(try await world.client.cancel(event.fingerprint, author: "ann", reason: "") == .unknown)
        let receipt = try await world.decide(event, OutcomeDetail(.completed))
        #expect(
            try await world.client.cancel(event.fingerprint, author: "ann", reason: "")
                == .alreadyEnded(.completed(at: receipt.timestamp)))
    }

    @Test func withoutARecordOfTheEventItsPlaceCannotBeTold() async throws {
        let world = try await World()
        let event = sampleEvent()
        try await world.decide(event, OutcomeDetail(.retrying, delay: 1000, nextAttempt: 2))
        let error = await clientError {
            try await world.client.cancel(event.fingerprint, author: "ann", reason: "")
        }
        #expect(error?.code == .refused)
    }
}
