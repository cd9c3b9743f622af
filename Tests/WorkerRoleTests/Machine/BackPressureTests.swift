import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// A full partition is paused, and never has more holes than it may.
@Suite struct BackPressureTests {
    @Test func pausesAndResumes() {
        var story = Story {
            $0.concurrency = 1
            $0.maximumHoles = 4
        }
        story.open()
        #expect(story.deliver((0..<4).map { Story.event("\($0)") }) == ["pause", "start 0"])
        #expect(settle(&story, "0") == ["start 1"])
        #expect(settle(&story, "1") == ["start 2", "resume"])
    }

    @Test func whatArrivesBeyondTheHolesWaitsInOrder() {
        var story = Story {
            $0.concurrency = 2
            $0.maximumHoles = 2
        }
        story.open()
        #expect(story.deliver((0..<6).map { Story.event("\($0)") }) == ["pause", "start 0", "start 1"])
        #expect(story.pass(100) == ["commit 0 to 2 holes 0,1"])
        #expect(settle(&story, "1") == ["start 2"])
        #expect(story.pass(100) == ["commit 0 to 3 holes 0,2"])
        #expect(settle(&story, "0") == ["start 3"])
        #expect(settle(&story, "2") == ["start 4"])
        #expect(settle(&story, "3") == ["start 5"])
        #expect(settle(&story, "4") == ["resume"])
        #expect(settle(&story, "5") == [])
        #expect(story.pass(100) == ["commit 6"])
    }

    @Test func largeEventsCountByTheirBytes() {
        var story = Story {
            $0.concurrency = 1
            $0.maximumBufferedBytes = 10_000
        }
        story.open()
        let large = (0..<3).map { number in Story.event("\(number)") { $0.payload = Array(repeating: 1, count: 6000) } }
        #expect(story.deliver(large) == ["pause", "start 0"])
        #expect(settle(&story, "0") == ["start 1"])
        #expect(settle(&story, "1") == ["start 2"])
        #expect(settle(&story, "2") == ["resume"])
    }

    /// One long task holds a hole, not the partition.
    @Test func aLongTaskHoldsAHoleOnly() {
        var story = Story {
            $0.concurrency = 2
            $0.maximumHoles = 3
        }
        story.open()
        _ = story.deliver(Story.event("long"))
        for number in 0..<100 {
            #expect(story.deliver(Story.event("\(number)")) == ["start \(number)"])
            #expect(settle(&story, "\(number)") == [])
        }
        #expect(story.pass(100) == ["commit 0 to 101 holes 0"])
    }

    private func settle(_ story: inout Story, _ id: String) -> [String] {
        // A free slot starts the next turn before the first one is settled.
        let lines = story.finish(id).filter { !$0.hasPrefix("ledger") }
        return lines + story.acknowledge()
    }
}
