import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// Decide, then do, then settled: each step waits until the one before is durable.
@Suite struct SettlingTests {
    @Test func aCompletionSettlesOnceItIsAcknowledged() {
        var story = Story()
        story.open()
        #expect(story.deliver(Story.event("a")) == ["start a"])
        #expect(story.finish("a") == ["ledger completed"])
        #expect(story.pass(100) == ["commit 0 to 1 holes 0"])
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func aRetryIsDecidedThenEmittedThenSettled() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        #expect(story.finish("a", .failed(code: "error", message: "no")) == ["ledger retrying"])
        #expect(story.acknowledge() == ["retry a turn 2 attempt 2 after 1000"])
        #expect(story.pass(100) == ["commit 0 to 1 holes 0"])
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func theLastAttemptDies() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a") { $0.attempt = 3 })
        #expect(story.finish("a", .failed(code: "error", message: "no")) == ["ledger dead"])
        #expect(story.acknowledge() == ["letter a attempts-exhausted"])
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func aSnoozeSpendsNoAttempt() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        #expect(story.finish("a", .snoozed(milliseconds: 7000, message: "not yet")) == ["ledger snoozed"])
        #expect(story.acknowledge() == ["retry a turn 2 attempt 1 after 7000"])
    }

    @Test func fatalDiesAtOnceAndCancelHasNoLetter() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("b"))
        #expect(story.finish("a", .fatal(reason: .fatal, code: "bad", message: "no")) == ["ledger dead"])
        #expect(story.acknowledge() == ["letter a fatal"])
        #expect(story.finish("b", .cancelled(message: "never mind")) == ["ledger cancelled"])
        #expect(story.acknowledge() == ["journal cancelled \(Story.event("b").fingerprint.hex)"])
    }

    @Test func aTimeoutCancelsAndCountsAsAFailure() {
        var story = Story(tasks: ["work": TaskPolicy(timeout: 5000, retry: RetryPolicy(initial: 1000, jitter: 0))])
        story.open()
        _ = story.deliver(Story.event("a"))
        #expect(story.pass(4999) == ["commit 0 to 1 holes 0"])
        #expect(story.pass(1) == ["cancel a"])
        #expect(
            story.finish("a", .failed(code: "cancelled", message: "the attempt was cancelled")) == ["ledger retrying"])
        _ = story.acknowledge()
        _ = story.acknowledge()
        guard case .settled(_, _, .retrying, _, "timeout", _)? = story.reports.last else {
            Issue.record("\(story.reports)")
            return
        }
        #expect(story.machine.counters.timeouts == 1)
    }

    @Test func whoCompletesAtTheTimeoutHasCompleted() {
        var story = Story(tasks: ["work": TaskPolicy(timeout: 5000)])
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.pass(5000)
        #expect(story.finish("a", .completed) == ["ledger completed"])
    }

    @Test func slotsAreSharedByWeight() {
        let queues = ["big": 3, "small": 1]
        var story = Story {
            $0.concurrency = 8
            $0.queues = queues.sorted { $0.key < $1.key }.map {
                WorkerQueue(name: $0.key, partitions: 1, weight: $0.value)
            }
        }
        let dues = queues.keys.sorted().map { TopicPartition(Story.names.due($0), 0) }
        _ = story.wake(.assigned(dues, epoch: 1))
        var records: [LogRecord] = []
        for due in dues {
            _ = story.wake(.restored(due, epoch: 1, Story.position(committed: 0, end: 0)))
            for number in 0..<20 {
                var record = story.record(Story.event("\(due.topic)-\(number)"))
                record.topic = due.topic
                record.offset = Int64(number)
                records.append(record)
            }
        }
        // The first eight slots go to whom comes first; from then on each free slot goes by weight.
        _ = story.wake(.records(records))
        var started: [String] = []
        for _ in 0..<12 {
            let next = story.attempts.values.min { $0.id < $1.id }!
            story.attempts[next.event.id] = nil
            started += story.wake(.finished(next.id, .completed)).filter { $0.hasPrefix("start") }
        }
        #expect(started.count == 12)
        #expect(started.filter { $0.contains("big") }.count == 9)
    }
}
