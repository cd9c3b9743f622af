import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// An event that kills the process at its start, among innocents.
@Suite struct PoisonTests {
    @Test(arguments: [1, 2, 8, 16, 64])
    func onlyThePoisonIsBuried(concurrency: Int) throws {
        let innocents = (0..<200).map { Story.event("innocent-\($0)") }
        var events = innocents
        let poison = Story.event("poison")
        events.insert(poison, at: 100)
        var lives = Lives(events: events, poisons: [poison.id], concurrency: concurrency)
        try lives.liveUntilAllIsSettled(atMost: 20)
        print("concurrency \(concurrency): \(lives.count) lives, \(lives.executions.values.max() ?? 0) starts at most")
        #expect(lives.letters.map(\.event.id) == ["poison"])
        #expect(lives.letters.map(\.reason) == [.workerLost])
        for event in innocents { #expect(lives.outcomes(of: event) == [.completed], "\(event.id)") }
    }

    @Test func twoPoisonsAreBuriedWithoutTheirNeighbours() throws {
        let innocents = (0..<200).map { Story.event("innocent-\($0)") }
        var events = innocents
        events.insert(Story.event("poison-1"), at: 50)
        events.insert(Story.event("poison-2"), at: 52)
        var lives = Lives(events: events, poisons: ["poison-1", "poison-2"], concurrency: 16)
        try lives.liveUntilAllIsSettled(atMost: 40)
        print("two poisons: \(lives.count) lives")
        #expect(Set(lives.letters.map(\.event.id)) == ["poison-1", "poison-2"])
        for event in innocents { #expect(lives.outcomes(of: event) == [.completed], "\(event.id)") }
    }

    /// The poison lies far behind what a partition may have unsettled: it starts late, and is still found.
    @Test func aPoisonBehindManyIsFound() throws {
        var events = (0..<3000).map { Story.event("innocent-\($0)") }
        events.insert(Story.event("poison"), at: 2500)
        var lives = Lives(events: events, poisons: ["poison"], concurrency: 16)
        try lives.liveUntilAllIsSettled(atMost: 20)
        #expect(lives.letters.map(\.event.id) == ["poison"])
        #expect(lives.settledCount == 3000)
    }

    /// Starts that were handed back in good order accuse nobody, however often.
    @Test func cleanStopsAccuseNobody() throws {
        var lives = Lives(events: [Story.event("slow")], poisons: [], concurrency: 16)
        lives.begin(isUnclean: true)
        for _ in 0..<6 { lives.startThenStop() }
        try lives.liveUntilAllIsSettled(atMost: 8)
        #expect(lives.letters.isEmpty)
    }

    /// The log takes a `started` note but says that it failed: the second one counts no second start.
    @Test func aNoteAppendedTwiceIsOneStart() {
        let event = Story.event("a")
        let note = Story.entry(event, .started(alone: true))
        var story = Story()
        story.open(notes: [note, note])
        #expect(story.deliver(event) == ["ledger started"], "still a suspect, not proven")
    }

    /// What a stop takes back is the start that it stopped, not an older one that was lost.
    @Test func aReleaseTakesBackItsOwnStart() {
        let event = Story.event("a")
        var story = Story()
        var notes = [
            Story.entry(event, .started(alone: false)), Story.entry(event, .started(alone: false), worker: "x/1"),
        ]
        for stop in 0..<3 {
            notes.append(Story.entry(event, .started(alone: true), worker: "s/\(stop)"))
            notes.append(Story.entry(event, .released, worker: "s/\(stop)"))
        }
        story.open(notes: notes)
        #expect(story.deliver(event) == ["ledger started alone"])
    }

    /// A broker that is away takes partitions from processes that live: they take their starts back, though the turn is
    /// another's by then.
    @Test func aProcessThatLivesTakesItsStartBack() {
        let event = Story.event("a")
        var story = Story()
        story.open(notes: [Story.entry(event, .started(alone: true), worker: "x/1")])
        #expect(story.deliver(event) == ["ledger started"])
        #expect(story.acknowledge() == ["start a"])
        #expect(story.wake(.lost([Story.due])) == ["cancel a", "forget"])
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == ["ledger released"])
        var next = Story()
        next.open(
            notes: [
                Story.entry(event, .started(alone: true), worker: "x/1"),
                Story.entry(event, .started(alone: true), worker: "y/1"),
                Story.entry(event, .started(alone: true), worker: "z/1"),
                Story.entry(event, .released, worker: "x/1"), Story.entry(event, .released, worker: "y/1"),
            ])
        #expect(next.deliver(event) == ["ledger started"], "one lost start proves nothing")
    }

    /// Its note may be in the log, its attempt never began.
    @Test func aStartThatWasOnlyNotedIsTakenBackWithItsPartition() {
        let event = Story.event("a")
        var story = Story()
        story.open(notes: [Story.entry(event, .started(alone: true), worker: "x/1")])
        _ = story.deliver(event)
        #expect(story.wake(.lost([Story.due])) == ["ledger released", "forget"])
    }
}
