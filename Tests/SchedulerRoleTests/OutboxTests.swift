import TaskLog
import TaskModel
import Testing

@testable import SchedulerRole

struct OutboxTests {
    private func record(_ name: String) -> LogAppend {
        LogAppend(topic: name, partition: 0, key: nil, value: [0])
    }

    private func makeOutbox(records: Int = 100) -> Outbox<String> {
        Outbox(maximumRecords: records, maximumBytes: 1 << 20)
    }

    private func success(_ offset: Int64) -> Result<AppendReceipt, LogError> {
        .success(AppendReceipt(offset: offset, timestamp: .epoch))
    }

    private let failure: Result<AppendReceipt, LogError> = .failure(LogError(.unavailable, "test"))

    private func steps(_ progress: [Outbox<String>.Progress]) -> [String] {
        progress.map {
            switch $0.step {
            case .durable(let index, let offset, let isLast):
                "\($0.purpose) \(index)@\(offset)\(isLast ? " last" : "")"
            case .refused(let error): "\($0.purpose) \(error.code)"
            }
        }
    }

    private func next(_ outbox: inout Outbox<String>, uptime: Int64 = 0) throws -> Outbox<String>.Batch {
        let batch = outbox.nextBatch(uptime: uptime)
        return try #require(batch)
    }

    private func topics(_ batch: Outbox<String>.Batch?) -> [String] { batch?.records.map(\.topic) ?? [] }

    @Test func aStageWaitsForTheOneBefore() throws {
        var outbox = makeOutbox()
        outbox.add([[record("due1"), record("due2")], [record("state")]], for: "fire")
        let first = try next(&outbox, uptime: 0)
        #expect(topics(first) == ["due1", "due2"])
        #expect(topics(outbox.nextBatch(uptime: 0)).isEmpty)
        #expect(steps(outbox.complete(first.id, [success(3), success(8)], uptime: 0)) == ["fire 0@8"])
        let second = try next(&outbox, uptime: 0)
        #expect(topics(second) == ["state"])
        #expect(steps(outbox.complete(second.id, [success(1)], uptime: 0)) == ["fire 1@1 last"])
        #expect(outbox.isEmpty && outbox.byteCount == 0)
    }

    @Test func whatFailsIsSentAgainFirstAfterAPauseThatGrows() throws {
        var outbox = makeOutbox()
        outbox.add([[record("a"), record("b")], [record("c")]], for: "x")
        var batch = try next(&outbox, uptime: 0)
        outbox.add([[record("d")]], for: "y")
        #expect(outbox.complete(batch.id, [success(0), failure], uptime: 0).isEmpty)
        #expect(outbox.nextAttempt == 100)
        #expect(topics(outbox.nextBatch(uptime: 99)).isEmpty)
        batch = try next(&outbox, uptime: 100)
        #expect(topics(batch) == ["b", "d"])
        #expect(outbox.complete(batch.id, [failure, failure], uptime: 100).isEmpty)
        #expect(outbox.nextAttempt == 300)
        batch = try next(&outbox, uptime: 300)
        #expect(steps(outbox.complete(batch.id, [success(4), success(5)], uptime: 300)) == ["x 0@4", "y 0@5 last"])
        #expect(topics(outbox.nextBatch(uptime: 300)) == ["c"])
    }

    @Test func whatIsRefusedForGoodEndsItsChain() throws {
        var outbox = makeOutbox()
        outbox.add([[record("a")], [record("b")]], for: "x")
        let batch = try next(&outbox, uptime: 0)
        let refusal: Result<AppendReceipt, LogError> = .failure(LogError(.recordTooLarge, "test"))
        #expect(steps(outbox.complete(batch.id, [refusal], uptime: 0)) == ["x recordTooLarge"])
        #expect(outbox.isEmpty)
        #expect(topics(outbox.nextBatch(uptime: 0)).isEmpty)
    }

    @Test(arguments: [LogError.Code.unknownTopic, .unknownPartition])
    func aMissingTopicEndsAChainThatSaysSo(code: LogError.Code) throws {
        let missing: Result<AppendReceipt, LogError> = .failure(LogError(code, "test"))
        var outbox = makeOutbox()
        outbox.add([[record("due")], [record("state")]], for: "x", mayLackTopic: true)
        outbox.add([[record("due1"), record("due2")]], for: "y", mayLackTopic: true)
        outbox.add([[record("journal")]], for: "z")
        var batch = try next(&outbox)
        let progress = outbox.complete(batch.id, [success(0), missing, success(1), missing], uptime: 0)
        #expect(steps(progress) == ["x 0@0", "y \(code)"])
        batch = try next(&outbox, uptime: 100)
        #expect(topics(batch) == ["journal"], "its topic is the scheduler's own: it comes back")
        _ = outbox.complete(batch.id, [success(0)], uptime: 100)
        batch = try next(&outbox, uptime: 100)
        #expect(topics(batch) == ["state"])
        #expect(steps(outbox.complete(batch.id, [missing], uptime: 100)).isEmpty, "what comes after the due topic, too")
        #expect(outbox.count == 1)
    }

    @Test func aCancelledChainSendsNothingMore() throws {
        var outbox = makeOutbox()
        outbox.add([[record("a")], [record("b")]], for: "x")
        let batch = try next(&outbox, uptime: 0)
        outbox.add([[record("c")]], for: "x")
        outbox.add([[record("d")]], for: "y")
        outbox.cancel { $0 == "x" }
        #expect(outbox.complete(batch.id, [success(0)], uptime: 0).isEmpty)
        #expect(topics(outbox.nextBatch(uptime: 0)) == ["d"])
    }

    /// What comes back for a chain that was cancelled is not taken for the one in its place.
    @Test(arguments: [true, false])
    func thePlaceOfACancelledChainIsAnothersNow(succeeds: Bool) throws {
        var outbox = makeOutbox()
        outbox.add([[record("a")], [record("b")]], for: "x")
        let batch = try next(&outbox)
        outbox.cancel { $0 == "x" }
        outbox.add([[record("c")], [record("d")]], for: "y")
        #expect(outbox.complete(batch.id, [succeeds ? success(7) : failure], uptime: 0).isEmpty)
        let second = try next(&outbox, uptime: 1000)
        #expect(topics(second) == ["c"])
        #expect(steps(outbox.complete(second.id, [success(1)], uptime: 1000)) == ["y 0@1"])
        let third = try next(&outbox, uptime: 1000)
        #expect(steps(outbox.complete(third.id, [success(2)], uptime: 1000)) == ["y 1@2 last"])
        #expect(outbox.isEmpty && outbox.byteCount == 0)
    }

    /// A log takes runs of one topic; what came back as failed goes first, in the order of its partition.
    @Test func recordsOfATopicGoBehindEachOther() throws {
        func numbered(_ topic: String, _ number: UInt8) -> LogAppend {
            LogAppend(topic: topic, partition: 0, key: nil, value: [number])
        }
        func names(_ batch: Outbox<String>.Batch) -> [String] {
            batch.records.map { "\($0.topic)\($0.value?.first ?? 0)" }
        }
        var outbox = makeOutbox()
        for (name, number) in [("x", UInt8(1)), ("y", 2), ("z", 3)] {
            outbox.add([[numbered("a", number), numbered("b", number)]], for: name)
        }
        let batch = try next(&outbox)
        #expect(names(batch) == ["a1", "a2", "a3", "b1", "b2", "b3"])
        let results = [success(10), failure, failure, success(20), success(21), success(22)]
        #expect(steps(outbox.complete(batch.id, results, uptime: 0)) == ["x 0@20 last"])
        outbox.add([[numbered("a", 4)]], for: "w")
        let again = try next(&outbox, uptime: 100)
        #expect(names(again) == ["a2", "a3", "a4"])
        let rest = outbox.complete(again.id, [success(11), success(12), success(13)], uptime: 100)
        #expect(steps(rest) == ["y 0@21 last", "z 0@22 last", "w 0@13 last"])
        #expect(outbox.isEmpty && outbox.byteCount == 0)
    }

    /// Somebody waits for a first stage; later ones go when none is on its way, or together after a while.
    @Test func laterStagesLetFirstStagesPass() throws {
        var outbox = makeOutbox(records: 1)
        outbox.add([[record("due1")], [record("state1")]], for: "x")
        let one = try next(&outbox)
        outbox.add([[record("due2")], [record("state2")]], for: "y")
        let two = try next(&outbox)
        _ = outbox.complete(one.id, [success(0)], uptime: 10)
        #expect(topics(outbox.nextBatch(uptime: 10)).isEmpty)
        #expect(topics(outbox.nextBatch(uptime: 59)).isEmpty)
        #expect(outbox.nextAttempt == 60)
        let state = try next(&outbox, uptime: 60)
        #expect(topics(state) == ["state1"])
        // One call of them at a time.
        _ = outbox.complete(two.id, [success(1)], uptime: 61)
        #expect(topics(outbox.nextBatch(uptime: 200)).isEmpty)
        #expect(outbox.nextAttempt == nil)
        _ = outbox.complete(state.id, [success(0)], uptime: 200)
        #expect(topics(outbox.nextBatch(uptime: 200)) == ["state2"])
    }

    /// What gathers while a call is under way goes with the next one; a call that is stuck holds nothing up for long.
    @Test func smallCallsGoOneAfterTheOther() throws {
        var outbox = makeOutbox()
        outbox.add([[record("a")]], for: "x")
        let one = try next(&outbox)
        for name in ["b", "c"] { outbox.add([[record(name)]], for: "x") }
        #expect(topics(outbox.nextBatch(uptime: 5)).isEmpty)
        #expect(outbox.nextAttempt == 55)
        #expect(topics(outbox.nextBatch(uptime: 55)) == ["b", "c"])
        outbox.add([[record("d")]], for: "x")
        #expect(topics(outbox.nextBatch(uptime: 60)).isEmpty)
        _ = outbox.complete(one.id, [success(0)], uptime: 60)
        #expect(topics(outbox.nextBatch(uptime: 60)).isEmpty)
        #expect(topics(outbox.nextBatch(uptime: 110)) == ["d"])
    }

    @Test func callsAndTheirSizeAreBounded() {
        var outbox = makeOutbox(records: 2)
        for index in 0..<20 { outbox.add([[record("\(index)")]], for: "x") }
        var sizes: [Int] = []
        while let batch = outbox.nextBatch(uptime: 0) { sizes.append(batch.records.count) }
        #expect(sizes == [2, 2, 2, 2])
    }
}
