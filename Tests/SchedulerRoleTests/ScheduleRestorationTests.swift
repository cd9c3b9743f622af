import TaskLog
import TaskModel
import Testing

@testable import SchedulerRole

/// What a scheduler makes of a partition of `schedules` that it takes over.
struct ScheduleRestorationTests {
    private let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!

    /// As the command of this second left it.
    private func definition(_ second: Int64, offset: Int64 = 0, removed: Bool = false) -> SchedulesTopicRecord {
        .definition(
            ScheduleDefinition(
                spec: everyMinute(), revision: 1, createdAt: noon, updatedAt: noon + second * 1000, updatedBy: "ada",
                reason: "", applied: AppliedCommand(id: "c", offset: offset), isRemoved: removed))
    }

    private func restore(_ records: (epoch: Int64, record: SchedulesTopicRecord)...) -> ScheduleRestoration {
        var restoration = ScheduleRestoration()
        for (offset, item) in records.enumerated() {
            let body = item.record.encoded(by: ScheduleWriter(epoch: item.epoch, name: "w"))
            restoration.apply(
                schedule: LogRecord(
                    topic: "tidemill.schedules", partition: 0, offset: Int64(offset), timestamp: noon, key: body.key,
                    value: body.value, headers: body.headers))
        }
        #expect(restoration.unreadable == [])
        return restoration
    }

    /// Nobody has answered the command yet: its mark is what tells that it was done.
    @Test func theMarkOfARemovalIsWrittenOverAZombiesWord() {
        let found = restore((2, definition(7, offset: 5, removed: true)), (1, definition(3)))
        #expect(found.schedules.overwritten == ["s"])
        var table = ScheduleTable(found)
        guard case .definition(let mark)? = table.rewrite("s")?.first else {
            Issue.record("a mark was expected")
            return
        }
        #expect(mark.isRemoved)
    }

    /// Schedulers of before did not say: from the first takeover on they do.
    @Test func whatAStateDidNotSayIsTold() {
        let table = ScheduleTable(restore((2, definition(7)), (2, .state("s", ScheduleState(cursor: noon)))))
        #expect(table.state(of: "s")?.definedAt == noon + 7000)
    }
}
