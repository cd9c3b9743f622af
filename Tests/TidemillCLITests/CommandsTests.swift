import Foundation
import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TidemillCLI

struct CommandsTests {
    @Test func everyCommandIsInTheTreeUnderItsPath() throws {
        let parser = CommandLineParser(root: CommandsWorld.root)
        for command in ClientCommands.all {
            let lineage = try #require(parser.lineage(of: command.path), "\(command.path)")
            #expect(lineage.last == command.spec)
            #expect(lineage.last?.options.contains { $0.name == "output" } == true)
        }
    }

    @Test func anEventsStoryIsATable() async throws {
        let world = try await CommandsWorld()
        let receipt = try await world.client.publish(PublishRequest(task: "report", payload: [1, 2, 3]))
        let event = try await world.dueEvents()[0]
        try await world.decide(
            event, OutcomeDetail(.retrying, delay: 4000, nextAttempt: 2, code: "http-503", message: "no\npaper"))
        let result = try await world.run("events", "show", receipt.fingerprint.hex.uppercased())
        #expect(result.status == 0)
        #expect(result.output.contains("task      report\n"))
        #expect(result.output.contains("payload   3 bytes\n"))
        #expect(result.output.contains("state     to be tried again after 4s"))
        #expect(result.output.contains("attempt 1 on w-1/aa, again after 4s: http-503: no\\npaper"))
        let json = try await world.json("events", "show", receipt.fingerprint.hex)
        #expect((json["state"] as? [String: Any])?["is"] as? String == "again")
    }

    @Test func anUnknownEventEndsWithOneAndABadFingerprintWithTwo() async throws {
        let world = try await CommandsWorld()
        let unknown = try await world.run("events", "show", String(repeating: "0", count: 32))
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("keeps nothing"))
        let bad = try await world.run("events", "show", "12345")
        #expect(bad.status == 2)
        #expect(bad.errors.contains("`12345` is no fingerprint"))
    }

    @Test func aPastEventRunsAgainAsItsNextReplay() async throws {
        let world = try await CommandsWorld()
        let hex = try await world.client.publish(PublishRequest(task: "report")).fingerprint.hex
        let early = try await world.run("events", "replay", hex)
        #expect(early.status == 1)
        #expect(early.errors.contains("not replayed: it is due since"))
        try await world.decide(try await world.dueEvents()[0], OutcomeDetail(.completed))
        let result = try await world.run("events", "replay", hex, "--reason", "again please")
        #expect(result.status == 0)
        #expect(result.output.hasPrefix("replayed as \(hex)/1/1 at tidemill.due.default["))
        #expect(try await world.dueEvents().map(\.replay) == [0, 1])
    }

    @Test func cancelSaysWhatItDid() async throws {
        let world = try await CommandsWorld()
        let receipt = try await world.client.publish(PublishRequest(task: "report"))
        let hex = receipt.fingerprint.hex
        let result = try await world.run("cancel", hex, "--reason", "wrong month")
        #expect(result.status == 0)
        #expect(result.output == "cancelled \(hex)/0/1\n")
        let again = try await world.run("cancel", hex)
        #expect(again.status == 1)
        #expect(again.errors.contains("not cancelled: it is cancelled at"))
    }

    @Test func deadLettersAreListedShownReplayedAndDiscarded() async throws {
        let world = try await CommandsWorld()
        for id in 1...3 { try await world.bury(world.event("\(id)"), code: "timeout", message: "too \u{1B}slow") }
        try await world.bury(world.event("4", task: "mail"))
        let list = try await world.run("dead-letters", "list", "--task", "report", "-n", "2")
        #expect(list.output.split(separator: "\n").count == 3)
        #expect(list.output.contains("timeout: too \\u{1b}slow"))
        #expect(list.errors.contains("2 of 3 are shown"))
        let groups = try await world.run("dead-letters", "list", "--group")
        #expect(groups.output.contains("    3  report  attempts-exhausted  timeout"))
        let hex = world.event("1").fingerprint.hex
        let shown = try await world.run("dead-letters", "show", hex)
        #expect(shown.output.contains("\n{\"n\":1}\n"))
        #expect(shown.output.contains("state       open\n"))
        let dry = try await world.run("dead-letters", "replay", "--task", "report", "--dry-run")
        #expect(dry.output == "3 of 3 would be replayed\n")
        #expect(try await world.dueEvents().isEmpty)
        let one = try await world.run("dead-letters", "replay", hex, "--reason", "fixed")
        #expect(one.output == "1 of 1 replayed\n")
        let twice = try await world.run("dead-letters", "replay", hex)
        #expect(twice.status == 0)
        #expect(twice.output == "0 of 1 replayed, 1 were dealt with before\n")
        let rest = try await world.run("dead-letters", "replay", "--error", "timeout")
        #expect(rest.output == "2 of 2 replayed\n")
        #expect(try await world.dueEvents().count == 3)
        let discarded = try await world.json("dead-letters", "discard", "--all")
        #expect(discarded["done"] as? Int == 1)
        #expect(try await world.client.deadLetters().matching == 0)
    }

    @Test func replayNeedsToBeToldWhichAndSaysWhatItRefused() async throws {
        let world = try await CommandsWorld()
        let none = try await world.run("dead-letters", "replay")
        #expect(none.status == 2)
        #expect(none.errors.contains("which letters?"))
        let both = try await world.run("dead-letters", "replay", world.event("1").fingerprint.hex, "--all")
        #expect(both.status == 2)
        var expired = world.event("1")
        expired.expiresAt = world.time.now()
        try await world.bury(expired)
        let refused = try await world.run("dead-letters", "replay", "--all")
        #expect(refused.status == 1)
        #expect(refused.output == "0 of 1 replayed, 1 refused\n")
        #expect(refused.errors.contains("the event expired at"))
    }

    @Test func topicsAreCreatedOnceAndChecked() async throws {
        let world = try await CommandsWorld(createTopics: false)
        let missing = try await world.run("topics", "check")
        #expect(missing.status == 1)
        #expect(missing.output.contains("does not exist"))
        let created = try await world.run("topics", "create")
        #expect(created.status == 0)
        #expect(created.output.contains("created tidemill.due.default\n"))
        #expect(try await world.run("topics", "create").output == "all 11 topics exist\n")
        #expect(try await world.run("topics", "check").output == "all 11 topics are as planned\n")
        #expect(try await world.run("topics", "create", "--replication", "2", "--min-in-sync", "3").status == 2)
    }

    @Test func theDoctorEndsWithOneOnlyForFailures() async throws {
        let world = try await CommandsWorld()
        async let result = withTimeout("the doctor") { try await world.run("doctor") }
        try await world.time.waitForSleepers(count: 1)
        world.time.advance(milliseconds: TaskClient.probeTimeout)
        let warned = try await result
        #expect(warned.status == 0)
        #expect(warned.output.contains("warn  workers: none has been seen"))
        #expect(warned.output.contains("ok    dead letters: none is open"))
        let broken = try await CommandsWorld(createTopics: false)
        #expect(try await broken.run("doctor").status == 1)
    }
}
