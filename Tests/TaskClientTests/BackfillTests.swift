import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

struct BackfillTests {
    private let day = Timestamp(rfc3339: "2026-01-01T00:00:00Z")!
    private func hour(_ number: Int64) -> Timestamp { day + number * 3_600_000 }

    /// A schedule of every hour; it is 12:10 now.
    private func world(_ change: (inout ScheduleSpec) -> Void = { _ in }) async throws -> World {
        let world = try await World()
        world.time.advance(milliseconds: hour(12) + 600_000 - world.time.now())
        var spec = ScheduleSpec(
            id: "s", task: "t", trigger: try .every(milliseconds: 3_600_000), payload: Array("{}".utf8))
        change(&spec)
        let definition = ScheduleDefinition(
            spec: spec, revision: 1, createdAt: hour(11), updatedAt: hour(11), updatedBy: "ann", reason: "",
            applied: AppliedCommand(id: "c", offset: 0))
        try await world.append(
            world.plan.names.schedules, by: Array("s".utf8),
            SchedulesTopicRecord.definition(definition).encoded(by: ScheduleWriter(epoch: 1, name: "s-1/aa")))
        return world
    }

    private func order(_ from: Int64, _ to: Int64) -> BackfillOrder {
        BackfillOrder(scheduleID: "s", from: hour(from), to: hour(to), author: "ann")
    }

    private func fire(_ world: World, _ number: Int64) async throws -> TaskEvent {
        let spec = try await world.client.schedule("s").spec
        return FireMaker.event(of: spec, nominal: hour(number), due: hour(number), standsFor: 1, now: hour(number))
    }

    private func journal(_ world: World, _ kind: JournalEntry.Kind, _ event: TaskEvent) async throws {
        try await world.client.journal([
            JournalEntry(
                subject: "s", kind: kind, at: event.publishedAt ?? day, author: "scheduler", reason: "",
                fingerprint: event.fingerprint, nominal: event.nominalTime)
        ])
    }

    @Test func itPublishesTheEventsThatTheScheduleMakes() async throws {
        let world = try await world { $0.expiry = 60_000 }
        let plan = try await world.client.planBackfill(order(2, 5))
        #expect(plan.items.map(\.nominal) == [hour(2), hour(3), hour(4)])
        #expect(try await world.dueEvents().isEmpty)
        #expect(try await world.client.backfill(plan, order(2, 5)) == 3)
        let events = try await world.dueEvents()
        #expect(events.map(\.nominalTime) == [hour(2), hour(3), hour(4)])
        var automatic: [Fingerprint] = []
        for number in Int64(2)...4 { automatic.append(try await fire(world, number).fingerprint) }
        #expect(events.map(\.fingerprint) == automatic)
        #expect(events.allSatisfy { $0.partitionKey == "schedule:s" && $0.overlap == .allow && $0.replay == 0 })
        // An event of last night must not be born dead.
        #expect(events.allSatisfy { $0.expiresAt == world.time.now() + 60_000 })
        let journal = try await world.client.journal(ofSchedule: "s")
        #expect(journal.map(\.kind) == [.triggered, .fired, .fired, .fired])
        #expect(journal.first?.reason.hasPrefix("backfill of 2026-01-01T02:00:00Z") == true)
        #expect(journal.allSatisfy { $0.author == "ann" })
    }

    @Test func theFutureIsLeftToTheScheduler() async throws {
        let world = try await world()
        #expect(try await world.client.planBackfill(order(11, 20)).items.map(\.nominal) == [hour(11), hour(12)])
        var reversed = order(9, 12)
        reversed.isReversed = true
        #expect(
            try await world.client.planBackfill(reversed).items.map(\.nominal) == [hour(11), hour(10), hour(9)])
    }

    @Test func whatRanIsNotRepeated() async throws {
        let world = try await world()
        let outcomes: [(Int64, Outcome)] = [
            (1, .completed), (2, .retrying), (3, .dead), (4, .cancelled), (5, .skipped), (6, .expired),
        ]
        for (number, outcome) in outcomes {
            try await world.decide(try await fire(world, number), OutcomeDetail(outcome))
        }
        // A later word counts, an earlier one does not come back.
        try await world.decide(try await fire(world, 1), OutcomeDetail(.skipped))
        // Made just now, and the ledger knows no end.
        try await journal(world, .fired, try await fire(world, 7))
        let plan = try await world.client.planBackfill(order(1, 9))
        #expect(
            plan.items.map(\.action) == [.ran, .open, .dead, .cancelled, .publish, .publish, .open, .publish])
        #expect(plan.items.map(\.replay) == [0, 0, 0, 0, 1, 1, 0, 0])
        #expect(try await world.client.backfill(plan, order(1, 9)) == 3)
        #expect(try await world.dueEvents().map(\.replay) == [1, 1, 0])
        // Running it again goes on where it stopped: here, at the end.
        #expect(try await world.client.planBackfill(order(7, 9)).count(.publish) == 0)
    }

    @Test(arguments: [[Outcome.dead, .cancelled], [.cancelled, .dead]])
    func aDeathAndACancelOfOneTurnGiveOneAnswerInEitherOrder(_ outcomes: [Outcome]) async throws {
        let world = try await world()
        for outcome in outcomes { try await world.decide(try await fire(world, 1), OutcomeDetail(outcome)) }
        #expect(try await world.client.planBackfill(order(1, 2)).items.map(\.action) == [.cancelled])
    }

    @Test func theJournalKnowsWhatTheLedgerForgot() async throws {
        let world = try await world()
        try await journal(world, .fired, try await fire(world, 1))
        try await journal(world, .fired, try await fire(world, 2))
        try await journal(world, .skipped, try await fire(world, 2))
        world.time.advance(milliseconds: 5 * 86_400_000)
        let plan = try await world.client.planBackfill(order(1, 4))
        #expect(plan.items.map(\.action) == [.ran, .publish, .publish])
    }

    @Test func asNewItIsOtherWorkUnderItsOwnName() async throws {
        let world = try await world()
        try await world.decide(try await fire(world, 1), OutcomeDetail(.completed))
        var new = order(1, 3)
        new.label = "again"
        let plan = try await world.client.planBackfill(new)
        #expect(plan.count(.publish) == 2)
        try await world.client.backfill(plan, new)
        let ran = try await fire(world, 1)
        #expect(try await !world.dueEvents().contains { $0.fingerprint == ran.fingerprint })
        #expect(try await world.client.planBackfill(new).count(.publish) == 0)
        new.label = "once more"
        #expect(try await world.client.planBackfill(new).count(.publish) == 2)
    }

    @Test func atMostSoManyAreOpenAtOnce() async throws {
        let world = try await world()
        var order = order(0, 6)
        order.concurrency = 2
        let plan = try await world.client.planBackfill(order)
        let steps = Observed<[BackfillProgress]>([])
        async let published = withTimeout("the backfill") { [order] in
            try await world.client.backfill(plan, order) { step in steps.update { $0.append(step) } }
        }
        var ended = 0
        for total in [2, 3, 4, 5, 6] {
            // The next one goes only when one has ended.
            try await withTimeout("event \(total)") { try await steps.wait { $0.last?.published == total } }
            let events = try await world.dueEvents()
            #expect(events.count == total)
            #expect(steps.value.last?.open == 2)
            // A failure that is tried again keeps it open.
            try await world.decide(events[ended + 1], OutcomeDetail(.retrying))
            try await world.decide(events[ended], OutcomeDetail(.completed))
            ended += 1
        }
        #expect(try await published == 6)
    }

    @Test func theRateIsKept() async throws {
        let world = try await world()
        var order = order(0, 4)
        order.rate = 2
        let plan = try await world.client.planBackfill(order)
        async let published = withTimeout("the backfill") { [order] in
            try await world.client.backfill(plan, order)
        }
        for count in 1...3 {
            try await world.time.waitForSleepers(count: 1)
            #expect(try await world.dueEvents().count == count)
            world.time.advance(milliseconds: 500)
        }
        #expect(try await published == 4)
    }
}
