import TaskModel
import Testing

/// What the `schedules` topic says when owners and zombies have written to it: the last word is the owner's.
struct SchedulesFoldTests {
    private let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!
    private let spec = ScheduleSpec(
        id: "s", task: "report", trigger: .interval(milliseconds: 60_000, anchor: nil), payload: [])

    /// As the command of this second left it.
    private func definition(_ second: Int64, offset: Int64 = 0, removed: Bool = false) -> SchedulesTopicRecord {
        .definition(
            ScheduleDefinition(
                spec: spec, revision: 1, createdAt: noon, updatedAt: noon + second * 1000, updatedBy: "ada",
                reason: "", applied: AppliedCommand(id: "c", offset: offset), isRemoved: removed))
    }

    private func state(_ second: Int64?, at minute: Int64) -> SchedulesTopicRecord {
        .state("s", ScheduleState(cursor: noon + minute * 60_000, definedAt: second.map { noon + $0 * 1000 }))
    }

    private func fold(_ records: (epoch: Int64, record: SchedulesTopicRecord)...) -> SchedulesFold {
        var fold = SchedulesFold()
        for item in records { fold.apply(item.record, by: ScheduleWriter(epoch: item.epoch, name: "w")) }
        return fold
    }

    private func second(_ found: SchedulesFold) -> Int64? {
        found.definitions["s"].map { ($0.updatedAt - noon) / 1000 }
    }

    private func minute(_ found: SchedulesFold) -> Int64? {
        found.states["s"].map { ($0.cursor - noon) / 60_000 }
    }

    @Test func aZombiesOldDefinitionDoesNotUndoAnEdit() {
        let found = fold((2, definition(7)), (1, definition(3)))
        #expect(second(found) == 7)
        #expect(found.overwritten == ["s"])
    }

    @Test func whatItsOwnerHasWrittenOverIsWell() {
        let found = fold((2, definition(7)), (1, definition(3)), (2, definition(7)))
        #expect(found.overwritten == [])
    }

    /// The state that a zombie decided by an old trigger may be ahead.
    @Test(arguments: [(3, 9), (7, 4)] as [(Int64, Int64)])
    func aZombiesStateDoesNotCount(second: Int64, cursor: Int64) {
        let found = fold((2, state(7, at: 5)), (2, definition(7)), (1, state(second, at: cursor)))
        #expect(minute(found) == 5)
        #expect(found.overwritten == ["s"])
    }

    @Test func ofTwoEditsInOneMillisecondTheLaterHolds() {
        let found = fold((2, definition(7, offset: 5)), (2, definition(7, offset: 6)), (1, definition(7, offset: 5)))
        #expect(found.definitions["s"]?.applied.offset == 6)
        #expect(found.overwritten == ["s"])
    }

    @Test func aZombieBringsNothingBack() {
        let found = fold((2, definition(7, removed: true)), (2, .tombstone(.spec("s"))), (1, definition(3)))
        #expect(found.definitions["s"] == nil)
        #expect(found.overwritten == ["s"])
        let again = fold((2, definition(7, removed: true)), (2, .tombstone(.spec("s"))), (2, definition(8)))
        #expect(second(again) == 8)
    }

    @Test func aZombiesTombstonesDeleteNothing() {
        let found = fold(
            (2, definition(7)), (2, state(7, at: 5)), (1, .tombstone(.spec("s"))), (1, .tombstone(.state("s"))))
        #expect(found.definitions["s"] != nil && minute(found) == 5)
        #expect(found.overwritten == ["s"])
    }

    /// The broker forgets a group that nobody has been in for long: epochs begin anew.
    @Test func anOwnerWhoseEpochBeganAnewIsNoZombie() {
        let found = fold(
            (58, definition(7)), (58, state(7, at: 5)), (1, state(7, at: 6)), (1, definition(8)), (2, state(8, at: 7)))
        #expect(second(found) == 8)
        #expect(minute(found) == 7)
        #expect(found.overwritten == [])
        let removed = fold((58, definition(7)), (1, definition(9, removed: true)), (1, .tombstone(.spec("s"))))
        #expect(removed.definitions["s"] == nil)
    }

    /// The topics were copied to another cluster: offsets and epochs begin anew there.
    @Test func offsetsMayBeginAnew() {
        let found = fold(
            (58, definition(7, offset: 700)), (58, state(7, at: 5)), (1, state(9, at: 2)), (1, definition(9, offset: 3))
        )
        #expect(second(found) == 9)
        #expect(minute(found) == 2)
        #expect(found.overwritten == [])
    }

    /// The owner's own epoch says that it is no zombie.
    @Test func theBrokersClockMayStep() {
        let found = fold((2, definition(7)), (2, state(7, at: 5)), (2, state(6, at: 6)), (3, definition(6)))
        #expect(second(found) == 6)
        #expect(minute(found) == 6)
    }

    @Test func aStateThatDoesNotSayMoreIsTakenAsItComes() {
        #expect(minute(fold((2, state(7, at: 5)), (1, state(nil, at: 4)))) == 4)
        #expect(minute(fold((2, state(nil, at: 5)), (1, state(7, at: 4)))) == 4)
    }
}
