import TaskClient
import TaskModel
import Testing

@testable import TidemillCLI

/// `schedules backfill` and `schedules why`.
struct CommandsBackfillTests {
    /// An hourly schedule; it is 03:30.
    private func world() async throws -> CommandsWorld {
        let world = try await CommandsWorld()
        try await world.define(
            ScheduleSpec(id: "s", task: "t", trigger: try .every(milliseconds: 3_600_000)),
            state: ScheduleState(cursor: world.time.now()))
        world.time.advance(milliseconds: 3 * 3_600_000 + 1_800_000)
        return world
    }

    private let range = ["schedules", "backfill", "s", "--from", "2026-01-01T01:00:00Z", "--to", "now"]

    @Test func aDryRunPublishesNothing() async throws {
        let world = try await world()
        let result = try await world.run(range + ["--dry-run"], written: .init([]))
        #expect(result.status == 0)
        #expect(result.output.split(separator: "\n").count == 4)
        #expect(result.output.contains("2026-01-01T01:00:00Z  publish  "))
        #expect(result.errors.contains("3 nominal times, 3 to publish"))
        let reversed = try await world.run(range + ["--dry-run", "--reverse"], written: .init([]))
        #expect(reversed.output.split(separator: "\n")[1].hasPrefix("2026-01-01T03:00:00Z"))
        #expect(try await world.dueEvents().isEmpty)
    }

    @Test func itPublishesOnceAndGoesOn() async throws {
        var world = try await world()
        world.errorTerminal = Terminal(isInteractive: true, width: 80, usesColor: false)
        let result = try await world.run(range + ["--yes", "--reason", "lost night"], written: .init([]))
        #expect(result.status == 0)
        #expect(result.output == "published 3 events of s\n")
        #expect(result.errors.contains("publishing 3/3 (100 %)"))
        #expect(try await world.dueEvents().count == 3)
        #expect(try await world.client.journal(ofSchedule: "s").first?.reason.hasSuffix("lost night") == true)
        let again = try await world.run(range + ["--yes"], written: .init([]))
        #expect(again.output == "published 0 events of s\n")
        #expect(again.errors.contains("3 nominal times, 0 to publish, 3 are open"))
        let new = try await world.run(range + ["--yes", "--as-new=second"], written: .init([]))
        #expect(new.output == "published 3 events of s\n")
        let fingerprints = try await world.dueEvents().map(\.fingerprint)
        #expect(Set(fingerprints).count == 6)
    }

    @Test func withoutYesItAsks() async throws {
        var world = try await world()
        let nobody = try await world.run(range, written: .init([]))
        #expect(nobody.status == UsageError.exitCode)
        #expect(nobody.errors.contains("--yes"))
        world.errorTerminal = Terminal(isInteractive: true, width: 80, usesColor: false)
        world.input = "n\n"
        #expect(try await world.run(range, written: .init([])).status == 1)
        #expect(try await world.dueEvents().isEmpty)
        world.input = "y\n"
        #expect(try await world.run(range, written: .init([])).status == 0)
        #expect(try await world.dueEvents().count == 3)
        let backwards = try await world.run(
            "schedules", "backfill", "s", "--from", "now", "--to", "-1h", "--yes")
        #expect(backwards.errors.contains("--from must be before --to"))
    }

    @Test func whyReadsAsASentence() async throws {
        let world = try await world()
        try await world.journal(
            JournalEntry(
                subject: "s", kind: .misfired, at: world.time.now(), author: "scheduler",
                reason: DropReason.tooOld.rawValue, nominal: Timestamp(rfc3339: "2026-01-01T02:00:00Z"), count: 2))
        let dropped = try await world.run("schedules", "why", "s", "--at", "2026-01-01T01:00:00Z")
        #expect(dropped.status == 0)
        #expect(
            dropped.output.hasPrefix(
                "2026-01-01T01:00:00Z: did not fire: older than max_age (decided at 2026-01-01T03:30:00Z)\n"))
        #expect(dropped.output.contains("misfired  2026-01-01T02:00:00Z  scheduler  older than max_age"))
        let near = try await world.run("schedules", "why", "s", "--at", "2026-01-01T03:10:00Z")
        #expect(
            near.output.hasPrefix(
                "2026-01-01T03:10:00Z is no nominal time of s; the nearest are 2026-01-01T03:00:00Z before and "
                    + "2026-01-01T04:00:00Z after it\n2026-01-01T03:00:00Z: is due, and no scheduler"))
        let json = try await world.json("schedules", "why", "s", "--at", "2026-01-01T02:00:00Z")
        #expect(json["is"] as? String == "dropped")
        #expect(json["reason"] as? String == "older than max_age")
        #expect((json["journal"] as? [[String: Any]])?.count == 1)
        #expect(try await world.run("schedules", "why", "nobody").status == 1)
    }

    @Test func whyTellsWhoPassedAnEventOver() async throws {
        let world = try await world()
        let nominal = try #require(Timestamp(rfc3339: "2026-01-01T03:00:00Z"))
        let fingerprint = Fingerprint(.scheduled(scheduleID: "s", nominalTime: nominal))
        for (kind, author, reason) in [
            (JournalEntry.Kind.fired, "scheduler", "nominal time"), (.skipped, "w-1/aa", "an earlier run is open"),
        ] {
            try await world.journal(
                JournalEntry(
                    subject: "s", kind: kind, at: nominal + 700_000, author: author, reason: reason,
                    fingerprint: fingerprint, nominal: nominal))
        }
        try await world.journal(
            JournalEntry(
                subject: "s-2/bb", kind: .restored, at: nominal + 600_000, author: "scheduler",
                reason: "tidemill.commands[\(Murmur2.partition(of: Array("s".utf8), count: 2))] is this scheduler's now"
            ))
        let result = try await world.run("schedules", "why", "s")
        #expect(
            result.output.hasPrefix(
                "2026-01-01T03:00:00Z: fired at 2026-01-01T03:11:40Z, 11m40s late: no scheduler had it until s-2/bb took "
                    + "over at 2026-01-01T03:10:00Z, and skipped by w-1/aa: an earlier run is open\n"))
    }
}
