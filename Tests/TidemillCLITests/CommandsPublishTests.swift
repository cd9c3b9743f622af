import Foundation
import TaskClient
import TaskModel
import TaskTestKit
import Testing

@testable import TidemillCLI

struct CommandsPublishTests {
    @Test func itPrintsFingerprintAndPosition() async throws {
        let world = try await CommandsWorld()
        let result = try await world.run(
            "publish", "report", "{\"a\":1}", "--key", "lane", "-H", "tenant=blue", "--idempotency-key", "k")
        #expect(result.status == 0)
        let event = try #require(try await world.dueEvents().first)
        #expect(event.fingerprint == Fingerprint(.idempotencyKey(task: "report", key: "k")))
        #expect(event.payload == Array("{\"a\":1}".utf8))
        #expect(event.contentType == "application/json")
        #expect(event.partitionKey == "lane")
        #expect(event.extraHeaders == [RecordHeader("tenant", "blue")])
        let partition = Murmur2.partition(of: Array("lane".utf8), count: 2)
        #expect(result.output == "\(event.fingerprint)  tidemill.due.default[\(partition)]@0  due\n")
        #expect(result.errors.isEmpty)
    }

    @Test func jsonHasTheSameFacts() async throws {
        let world = try await CommandsWorld()
        let json = try await world.json("publish", "report", "--delay", "5m", "--queue", "mail")
        #expect(json["state"] as? String == "waiting")
        #expect(json["due_at"] as? String == (world.time.now() + 300_000).rfc3339)
        #expect(json["queue"] as? String == "mail")
        #expect(json["topic"] as? String == "tidemill.retry")
        #expect((json["fingerprint"] as? String)?.utf8.count == 32)
    }

    @Test func thePayloadMayComeFromAFileOrStdin() async throws {
        var world = try await CommandsWorld()
        world.input = "plain words"
        #expect(try await world.run("publish", "report", "-").status == 0)
        let bytes: [UInt8] = [0xff, 0x00, 0x0a]
        let file = try await withTemporaryFile(bytes) { [world] in try await world.run("publish", "report", "@\($0)") }
        #expect(file.status == 0)
        let events = try await world.dueEvents()
        #expect(Set(events.map(\.payload)) == [Array("plain words".utf8), bytes])
        #expect(Set(events.map(\.contentType)) == ["text/plain", "application/octet-stream"])
        let missing = try await world.run("publish", "report", "@/no/such/file")
        #expect(missing.status == 1)
        #expect(missing.errors.contains("/no/such/file: cannot be read"))
    }

    @Test func aPayloadOfTwoMegabytesIsRefused() async throws {
        let world = try await CommandsWorld()
        let big = [UInt8](repeating: 120, count: 2 << 20)
        let file = try await withTemporaryFile(big) { try await world.run("publish", "report", "@\($0)") }
        #expect(file.status == 1)
        #expect(file.errors.contains("has more than 1048576 bytes"))
        let text = try await world.run("publish", "report", String(decoding: big, as: UTF8.self))
        #expect(text.status == 1)
        #expect(text.errors.contains("payload 2097152"))
        #expect(try await world.dueEvents().isEmpty)
    }

    @Test(arguments: [
        (["publish"], "the task is missing"),
        (["publish", "report", "--fingerprint", "xyz"], "`xyz` is no fingerprint"),
        (["publish", "report", "--delay", "1m", "--at", "+1h"], "--delay and --at exclude each other"),
        (["publish", "report", "--unique", "--idempotency-key", "k"], "exclude each other"),
        (["publish", "report", "--delay", "10"], "needs a unit"),
        (["publish", "--batch", "x", "--delay", "1s"], "--delay does not go with --batch"),
    ])
    func whatCannotBeUnderstoodEndsWithTwo(words: [String], problem: String) async throws {
        let world = try await CommandsWorld()
        let result = try await world.run(words, written: Observed<[String]>([]))
        #expect(result.status == 2)
        #expect(result.errors.contains(problem), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test func anUnknownQueueEndsWithOne() async throws {
        let world = try await CommandsWorld()
        let result = try await world.run("publish", "report", "--queue", "nope")
        #expect(result.status == 1)
        #expect(result.errors.contains("known queues: default, mail"))
    }

    @Test func uniqueTakesAWindow() async throws {
        let world = try await CommandsWorld()
        for words in [["--unique"], ["--unique=1h"]] {
            _ = try await world.run(["publish", "report", "{\"a\":1}"] + words, written: Observed<[String]>([]))
        }
        let payload = Array("{\"a\":1}".utf8)
        let bucket = Fingerprint.bucket(of: world.time.now(), window: 3_600_000)
        #expect(
            Set(try await world.dueEvents().map(\.fingerprint)) == [
                Fingerprint(.unique(task: "report", canonicalPayload: payload, bucket: nil)),
                Fingerprint(.unique(task: "report", canonicalPayload: payload, bucket: bucket)),
            ])
    }

    @Test(arguments: [(Outcome.completed, Int32(0)), (.dead, 1), (.cancelled, 1)])
    func waitEndsAsTheEventDoes(outcome: Outcome, status: Int32) async throws {
        let world = try await CommandsWorld()
        let written = Observed<[String]>([])
        async let result = withTimeout("the command") {
            try await world.run(["publish", "report", "--wait"], written: written)
        }
        _ = try await written.wait { !$0.isEmpty }
        var event = try #require(try await world.dueEvents().first)
        try await world.decide(
            event, OutcomeDetail(.retrying, delay: 2000, nextAttempt: 2, code: "error", message: "no paper"))
        event.turn = 2
        event.attempt = 2
        try await world.decide(event, OutcomeDetail(outcome, code: "x", message: "the end"))
        let ended = try await result
        #expect(ended.status == status)
        #expect(ended.errors.contains("attempt 1 failed: error: no paper, next in 2s"))
        #expect(ended.output.contains("\(outcome.word) in attempt 2 on w-1/aa: x: the end"))
    }

    @Test func aWaitThatTimesOutEndsWithOne() async throws {
        let world = try await CommandsWorld()
        async let result = withTimeout("the command") {
            try await world.run("publish", "report", "--wait=3s")
        }
        try await world.time.waitForSleepers(count: 1)
        world.time.advance(milliseconds: 3000)
        #expect(try await result.status == 1)
        #expect(try await result.errors.contains("not ended after 3s"))
    }
}
