import TaskModel
import Testing

@testable import SchedulerRole

struct ScheduleTableTests {
    private let state = ScheduleState(cursor: .epoch)

    private func definition(_ id: String) -> ScheduleDefinition {
        ScheduleDefinition(
            spec: ScheduleSpec(id: id, task: "t", trigger: .never), revision: 1, createdAt: .epoch, updatedAt: .epoch,
            updatedBy: "test", reason: "", applied: AppliedCommand(id: "c-\(id)", offset: 0))
    }

    private func id(_ due: (spec: ScheduleSpec, state: ScheduleState)?) -> String? { due?.spec.id }
    private func time(_ wake: Timestamp?) -> Timestamp? { wake }

    private func create(_ id: String, in table: inout ScheduleTable, wakingAt time: Timestamp) {
        table.begin(id)
        table.complete(id, definition: definition(id), state: state)
        #expect(self.id(table.takeDue(now: .epoch)) == id)
        table.sleep(id, until: time)
    }

    /// A schedule takes the place of a removed one: what was to wake that one wakes nobody, or this one in its own time.
    @Test(arguments: [0, 1] as [Int64])
    func thePlaceOfARemovedScheduleIsAnothersNow(later: Int64) {
        let minute = Timestamp(milliseconds: 60_000)
        var table = ScheduleTable()
        create("old", in: &table, wakingAt: minute)
        table.begin("old")
        table.remove("old")
        #expect(table.count == 0 && table.definition(of: "old") == nil)
        #expect(time(table.nextWake()) == nil)
        create("new", in: &table, wakingAt: minute + later)
        #expect(time(table.nextWake()) == minute + later)
        if later > 0 { #expect(id(table.takeDue(now: minute)) == nil) }
        #expect(id(table.takeDue(now: minute + later)) == "new")
        table.begin("new")
        #expect(id(table.takeDue(now: minute + later)) == nil)
        #expect(time(table.nextWake()) == nil)
        let isKnown = table.complete("new", state: state, nextWake: minute + later + 1)
        let isForgotten = !table.complete("old", state: state, nextWake: minute)
        #expect(isKnown && isForgotten)
        #expect(time(table.nextWake()) == minute + later + 1)
    }

    /// One that has no queue sleeps until there is one, whatever wake it had; removal forgets it.
    @Test func aParkedScheduleWaitsForItsQueue() {
        var table = ScheduleTable()
        create("s", in: &table, wakingAt: Timestamp(milliseconds: 5))
        table.park("s", queue: "q")
        #expect(time(table.nextWake()) == nil)
        #expect(id(table.takeDue(now: Timestamp(milliseconds: 10))) == nil)
        #expect(table.parkedCount == 1 && table.isIdle("s"))
        table.unpark(queue: "q")
        #expect(id(table.takeDue(now: .epoch)) == "s")
        table.park("s", queue: "q")
        table.begin("s")
        #expect(table.parkedCount == 0 && !table.isIdle("s"))
        table.remove("s")
        table.unpark(queue: "q")
        #expect(time(table.nextWake()) == nil)
        #expect(table.count == 0)
    }
}
