import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// The death of an event pauses its schedule: after the letter, before the offset is settled.
@Suite struct PauseOnFailureTests {
    @Test func theOffsetWaitsForThePause() throws {
        var story = Story()
        story.open()
        _ = story.deliver(fire("1"))
        #expect(story.finish("1", .fatal(reason: .fatal, code: "x", message: "no use")) == ["ledger dead"])
        #expect(story.acknowledge() == ["letter 1 fatal"])
        #expect(story.acknowledge() == ["command pause nightly"])
        let command = try #require(Self.command(story.onTheWay.last))
        #expect(command.kind == .pause(note: "event \(fire("1").fingerprint) died: no use"))
        #expect(command.isPauseOnFailure && command.author == "w/n1")
        _ = story.refuse()
        #expect(story.pass(500) == ["commit 0 to 1 holes 0", "command pause nightly"])
        _ = story.acknowledge()
        #expect(story.pass(100) == ["commit 1"])
    }

    /// A crash between letter and pause: the next owner does both again, under the same names.
    @Test func aTakeoverTellsItAgain() throws {
        var story = Story()
        story.open(notes: [Story.outcome(fire("1"), .dead)])
        #expect(story.deliver(fire("1")) == ["letter 1 fatal"])
        #expect(story.acknowledge() == ["command pause nightly"])
        #expect(Self.command(story.onTheWay.last)?.id == "failure/\(fire("1").fingerprint)/0/1")
    }

    @Test func nothingElsePauses() {
        var story = Story()
        story.open()
        _ = story.deliver(
            fire("1") { $0.pausesOnFailure = false }, fire("2") { $0.scheduleID = nil }, fire("3"), fire("4"))
        _ = story.finish("1", .fatal(reason: .fatal, code: "x", message: ""))
        _ = story.finish("2", .fatal(reason: .fatal, code: "x", message: ""))
        _ = story.finish("3", .failed(code: "error", message: "again"))
        _ = story.finish("4", .cancelled(message: "no"))
        let lines = story.acknowledge() + story.acknowledge() + story.acknowledge()
        #expect(lines.filter { $0.hasPrefix("letter") }.count == 2)
        #expect(!lines.contains { $0.hasPrefix("command") })
    }

    private static func command(_ append: PendingAppend?) -> ScheduleCommand? {
        guard let record = append?.record,
            case .command(let command)? = try? CommandsTopicRecord(
                key: record.key, value: record.value, headers: record.headers)
        else { return nil }
        return command
    }

    private func fire(_ id: String, _ change: (inout TaskEvent) -> Void = { _ in }) -> TaskEvent {
        Story.event(id) {
            $0.scheduleID = "nightly"
            $0.pausesOnFailure = true
            change(&$0)
        }
    }
}
