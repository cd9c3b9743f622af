import TaskModel
import Testing

struct IntervalTriggerTests {
    private let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!

    private func fires(_ trigger: Trigger, after start: Timestamp, _ count: Int) -> [Int64] {
        var position = start
        var found: [Int64] = []
        while found.count < count, let next = trigger.next(after: position) {
            found.append((next - noon) / 1000)
            position = next
        }
        return found
    }

    @Test(
        arguments: [
            (0, IntervalTrigger.First.immediately, nil, [0, 60, 120, 180]), (0, .wait, nil, [60, 120, 180, 240]),
            (10_000, .immediately, nil, [10, 70, 130, 190]), (10_000, .wait, 3, [70, 130, 190]),
            (0, .immediately, 1, [0]), (0, .wait, 2, [60, 120]),
        ] as [(Int64, IntervalTrigger.First, Int?, [Int64])])
    func countsFromItsAnchor(delay: Int64, first: IntervalTrigger.First, repetitions: Int?, expected: [Int64]) throws {
        let trigger = try Trigger.every(
            milliseconds: 60_000, anchor: noon, delay: delay, first: first, repetitions: repetitions)
        #expect(fires(trigger, after: .epoch, 4) == expected)
        // From within, the same times: nothing is remembered.
        let rest = expected.filter { $0 > 70 }
        #expect(fires(trigger, after: noon + 70_000, rest.count) == rest)
        let last = try #require(trigger.occurrences(after: .epoch, through: noon + 190_000, limit: 1))
        #expect(last.count == expected.filter { $0 <= 190 }.count)
    }

    @Test func refusesWhatCountsFromNothing() throws {
        for (name, interval) in [
            ("delay", IntervalTrigger(milliseconds: 1000, delay: 5)),
            ("first", IntervalTrigger(milliseconds: 1000, first: .wait)),
            ("repetitions", IntervalTrigger(milliseconds: 1000, repetitions: 3)),
            ("repetitions", IntervalTrigger(milliseconds: 1000, anchor: noon, repetitions: 0)),
            ("delay", IntervalTrigger(milliseconds: 1000, anchor: noon, delay: -1)),
        ] {
            #expect(Trigger.interval(interval).problem?.field == name)
        }
        #expect(Trigger.interval(IntervalTrigger(milliseconds: 1000, anchor: noon, delay: 5)).problem == nil)
    }

    @Test func endsBeforeTimeDoes() throws {
        let trigger = try Trigger.every(milliseconds: 1000, anchor: Timestamp(milliseconds: .max - 10))
        #expect(trigger.next(after: Timestamp(milliseconds: .max - 10)) == nil)
        let late = try Trigger.every(milliseconds: 1000, anchor: .distantFuture, delay: 5000, repetitions: 9)
        #expect(late.next(after: .epoch) == nil)
    }
}
