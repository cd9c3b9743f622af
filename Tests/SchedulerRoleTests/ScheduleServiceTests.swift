import SchedulerRole
import TaskLog
import TaskModel
import TaskTestKit
import Testing

/// Schedules and commands on a log in memory. The clock starts at 12:00:30.
struct ScheduleServiceTests {
    private func minute(_ text: String) -> Timestamp { Timestamp(rfc3339: "2026-11-21T\(text):00Z")! }

    private func advanced(_ scheduler: RunningScheduler, to cursor: Timestamp, _ id: String = "s") async throws {
        try await scheduler.wait { $0 == .advanced(scheduleID: id, cursor: cursor) }
    }

    @Test func firesAtItsNominalTime() async throws {
        let harness = try await SchedulerHarness()
        let spec = everyMinute {
            $0.expiry = 5000
            $0.contentType = "application/x"
        }
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.send(put(spec, id: "c1"))
            try await scheduler.answered("c1")
            try await scheduler.armed(inMilliseconds: 30_000)
            harness.time.advance(milliseconds: 29_999)
            try await scheduler.armed(inMilliseconds: 1)
            #expect(scheduler.emittedCount == 0)
            harness.time.advance(milliseconds: 1)
            try await advanced(scheduler, to: minute("12:01"))
        }
        let fired = try #require(try await harness.due().first)
        #expect(fired.id == "s@2026-11-21T12:01:00Z")
        #expect(fired.source == "tidemill/scheduler")
        #expect(fired.fingerprint == Fingerprint(.scheduled(scheduleID: "s", nominalTime: minute("12:01"))))
        #expect(fired.nominalTime == minute("12:01") && fired.dueAt == minute("12:01"))
        #expect(fired.expiresAt == minute("12:01") + 5000)
        #expect(fired.partitionKey == "schedule:s" && fired.overlap == .skip && fired.scheduleID == "s")
        #expect(fired.payload == [7] && fired.contentType == "application/x")
        let state = try await harness.schedules().states["s"]
        #expect(
            state
                == ScheduleState(
                    cursor: minute("12:01"), lastFired: minute("12:01"), fires: 1, definedAt: minute("12:00") + 30_000))
        let journal = try await harness.journal("s")
        #expect(journal.map(\.kind) == [.created, .fired])
        #expect(journal.first?.author == "ada")
    }

    @Test func aRestartFiresNothingAgainAndCatchesUpOnce() async throws {
        let harness = try await SchedulerHarness()
        try await harness.withScheduler("a") { scheduler in
            try await scheduler.restored()
            try await harness.send(put(everyMinute(), id: "c1"))
            try await scheduler.answered("c1")
            harness.time.advance(milliseconds: 30_000)
            try await advanced(scheduler, to: minute("12:01"))
        }
        try await harness.withScheduler("b") { scheduler in
            try await scheduler.restored()
            try await scheduler.armed(inMilliseconds: 30_000)
            #expect(scheduler.emittedCount == 0)
        }
        harness.time.advance(milliseconds: 10 * 60_000)
        try await harness.withScheduler("c") { scheduler in
            try await advanced(scheduler, to: minute("12:11"))
        }
        let due = try await harness.due()
        #expect(due.map(\.nominalTime) == [minute("12:01"), minute("12:11")])
        #expect(due.last?.standsFor == 10)
        #expect(try await harness.results(of: "c1").count == 1)
    }

    @Test func aClockThatStepsBackFiresNothingTwice() async throws {
        let harness = try await SchedulerHarness()
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.send(put(everyMinute(), id: "c1"))
            try await scheduler.answered("c1")
            harness.time.advance(milliseconds: 30_000)
            try await advanced(scheduler, to: minute("12:01"))
            harness.time.stepWall(by: -3_600_000)
            harness.time.advance(milliseconds: 1_800_000)
            // 11:31 on the wall: the next nominal time is still 12:02.
            try await scheduler.armed(inMilliseconds: 30_000)
            #expect(scheduler.emittedCount == 1)
            harness.time.advance(milliseconds: 1_860_000)
            try await advanced(scheduler, to: minute("12:02"))
        }
        #expect(try await harness.due().map(\.nominalTime) == [minute("12:01"), minute("12:02")])
    }

    @Test func ofTwoEditsAtOnceOneIsAConflict() async throws {
        let harness = try await SchedulerHarness()
        try await harness.send(put(everyMinute(), id: "c0"))
        try await harness.withScheduler { scheduler in
            try await scheduler.answered("c0")
            let edits = ["ada", "bob"].map { author in
                put(everyMinute { $0.payload = Array(author.utf8) }, id: author, base: 1, author: author)
            }
            async let one: Void = harness.send(edits[0])
            async let other: Void = harness.send(edits[1])
            _ = try await (one, other)
            try await scheduler.answered("ada")
            try await scheduler.answered("bob")
        }
        let results = try await harness.results(of: "ada", "bob")
        #expect(results.map(\.outcome.word).sorted() == ["applied", "conflict"])
        let winner = try #require(results.first { $0.outcome == .applied(revision: 2) })
        let stored = try #require(try await harness.schedules().definitions["s"])
        #expect(stored.updatedBy == winner.commandID && stored.revision == 2)
        #expect(stored.spec.payload == Array(winner.commandID.utf8))
        let loser = try #require(results.first { $0.commandID != winner.commandID })
        #expect(loser.outcome == .conflict(revision: 2, spec: stored.spec))
    }

    @Test func commandsThatWaitedAreAppliedInOrder() async throws {
        let harness = try await SchedulerHarness()
        func command(_ id: String, _ kind: ScheduleCommand.Kind) -> ScheduleCommand {
            ScheduleCommand(id: id, scheduleID: "s", kind: kind, author: "ada")
        }
        try await harness.send(put(everyMinute(), id: "c1", base: 0))
        try await harness.send(put(everyMinute(), id: "c2"))
        try await harness.send(command("c3", .pause(note: "migration")))
        try await harness.send(command("c4", .remove))
        try await harness.send(command("c5", .resume))
        try await harness.send(put(everyMinute { $0.task = "u" }, id: "c6", base: 0))
        try await harness.send(put(everyMinute { $0.queue = "other" }, id: "c7"))
        try await harness.withScheduler { scheduler in
            for index in 1...7 { try await scheduler.answered("c\(index)") }
        }
        let outcomes = try await harness.results(of: "c1", "c2", "c3", "c4", "c5", "c6", "c7").map(\.outcome)
        #expect(outcomes.count == 7)
        #expect(Array(outcomes.prefix(4)) == [1, 1, 2, 3].map { .applied(revision: $0) })
        #expect(outcomes.dropFirst(4).first == .refused(reason: "there is no schedule \"s\""))
        #expect(outcomes.dropFirst(5).first == .applied(revision: 1))
        #expect(outcomes.last?.word == "refused")
        let stored = try await harness.schedules()
        #expect(stored.definitions["s"]?.spec.task == "u")
        let kinds = try await harness.journal("s").map(\.kind)
        #expect(kinds == [.created, .paused, .removed, .created])
    }

    /// The schedule's record is durable, the result is not: the successor answers, and changes nothing.
    @Test func aCrashBeforeTheResultAnswersOnceMore() async throws {
        let harness = try await SchedulerHarness()
        try await harness.send(put(everyMinute(), id: "c1", base: 0))
        try await harness.withScheduler("a") { first in
            let isWritten = Observed(false)
            first.log.faults.decideAppends { record in
                if record.topic == "tidemill.commands" {
                    isWritten.update { $0 = true }
                    return .refused(LogError(.unavailable, "test"))
                }
                return .written
            }
            try await isWritten.wait { $0 }
            first.crash()
        }
        #expect(try await harness.schedules().definitions["s"]?.revision == 1)
        harness.time.advance(milliseconds: 10_000)
        try await harness.withScheduler("b") { try await $0.answered("c1") }
        #expect(try await harness.results(of: "c1").map(\.outcome) == [.applied(revision: 1)])
        #expect(try await harness.schedules().definitions["s"]?.revision == 1)
    }

    @Test func aManualTriggerRunsNowOrLater() async throws {
        let harness = try await SchedulerHarness()
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            let spec = everyMinute { $0.trigger = .at(SchedulerHarness.start + 86_400_000) }
            try await harness.send(put(spec, id: "c1"))
            try await harness.send(
                ScheduleCommand(id: "now", scheduleID: "s", kind: .trigger(at: nil, payload: [9]), author: "ada"))
            try await harness.send(
                ScheduleCommand(
                    id: "later", scheduleID: "s", kind: .trigger(at: SchedulerHarness.start + 20_000, payload: nil),
                    author: "ada"))
            try await scheduler.answered("later")
            try await scheduler.emitted(1)
            try await scheduler.armed(inMilliseconds: 20_000)
            harness.time.advance(milliseconds: 20_000)
            try await scheduler.emitted(2)
        }
        let due = try await harness.due()
        #expect(due.map(\.payload) == [[9], [7]])
        #expect(
            due.map(\.fingerprint)
                == ["now", "later"].map { Fingerprint(.idempotencyKey(task: "t", key: $0)) })
        #expect(due.allSatisfy { $0.overlap == .skip && $0.partitionKey == "schedule:s" })
        #expect(try await harness.results(of: "now").first?.fingerprint == due.first?.fingerprint)
    }

    @Test func holdsItsFiresWhileItsClockIsAhead() async throws {
        let brokerTime = ManualTimeSource(now: SchedulerHarness.start)
        let harness = try await SchedulerHarness(brokerTime: brokerTime)
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.send(put(everyMinute(), id: "c1"))
            try await scheduler.answered("c1")
            try await scheduler.armed(inMilliseconds: 30_000)
            harness.time.stepWall(by: 3_600_000)
            harness.time.advance(milliseconds: 29_000)
            brokerTime.advance(milliseconds: 29_000)
            harness.time.advance(milliseconds: 1000)
            brokerTime.advance(milliseconds: 1000)
            try await scheduler.wait { $0 == .held(leadMilliseconds: 3_600_000) }
            try await scheduler.armed(inMilliseconds: 5000)
            harness.time.stepWall(by: -3_600_000)
            harness.time.advance(milliseconds: 5000)
            brokerTime.advance(milliseconds: 5000)
            try await scheduler.wait { $0 == .resumed }
            try await advanced(scheduler, to: minute("12:01"))
            #expect(scheduler.emittedCount == 1)
        }
        #expect(try await harness.due().map(\.nominalTime) == [minute("12:01")])
        let kinds = try await harness.journal("a/boot-a").map(\.kind)
        #expect(kinds.suffix(2) == [.held, .released])
    }

    @Test func writesOverAZombiesRecord() async throws {
        let harness = try await SchedulerHarness(partitions: 1)
        let follower = try await harness.log.follow([TopicPartition(harness.names.schedules, 0): 0])
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.send(put(everyMinute(), id: "c1"))
            try await scheduler.answered("c1")
            let stored = try #require(try await harness.schedules().states["s"])
            let zombie = SchedulesTopicRecord.state("s", ScheduleState(cursor: stored.cursor - 3_600_000))
            try await harness.append(
                harness.names.schedules, 0, zombie.encoded(by: ScheduleWriter(epoch: 0, name: "zombie")))
            var offset: Int64 = 0
            while offset < 4, let records = try await follower.next() { offset = records.last?.offset ?? 0 }
            #expect(try await harness.schedules().states["s"] == stored)
        }
        await follower.close()
    }

    @Test func keepsItsHandsOffWhatItsSuccessorWrites() async throws {
        let harness = try await SchedulerHarness(partitions: 1)
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.send(put(everyMinute(), id: "c1"))
            try await scheduler.answered("c1")
            let successor = ScheduleWriter(epoch: 99, name: "successor")
            let state = ScheduleState(cursor: SchedulerHarness.start + 3_600_000)
            try await harness.append(
                harness.names.schedules, 0, SchedulesTopicRecord.state("s", state).encoded(by: successor))
            try await scheduler.wait { $0 == .superseded(TopicPartition(harness.names.commands, 0)) }
            harness.time.advance(milliseconds: 60_000)
        }
        #expect(try await harness.due().isEmpty)
    }

    @Test func aRemovedScheduleLeavesNothing() async throws {
        let harness = try await SchedulerHarness()
        try await harness.send(put(everyMinute(), id: "c1"))
        try await harness.send(ScheduleCommand(id: "c2", scheduleID: "s", kind: .remove, author: "ada"))
        try await harness.withScheduler { scheduler in
            try await scheduler.answered("c2")
            harness.time.advance(milliseconds: 60_000)
        }
        let stored = try await harness.schedules()
        #expect(stored.definitions.isEmpty && stored.states.isEmpty)
        #expect(try await harness.due().isEmpty)
    }
}
