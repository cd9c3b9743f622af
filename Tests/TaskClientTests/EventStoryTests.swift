import TaskClient
import TaskModel
import Testing

/// The fold as a value, from records in any order.
struct EventStoryTests {
    private let event = sampleEvent()
    private let start = Timestamp(seconds: 1_000_000)

    private func record(_ seconds: Int64, _ body: StoryRecord.Body) -> StoryRecord {
        StoryRecord(
            at: start + seconds * 1000, place: RecordPlace(topic: "t", partition: 0, offset: seconds), body: body)
    }

    private func summary(turn: UInt32 = 1, replay: UInt32 = 0) -> EventSummary {
        var event = event
        event.turn = turn
        event.replay = replay
        return EventSummary(event, queue: "default")
    }

    private func ledger(_ body: LedgerRecord.Body, turn: UInt32 = 1, replay: UInt32 = 0) -> StoryRecord.Body {
        .ledger(
            LedgerRecord(
                coordinate: Coordinate(fingerprint: event.fingerprint, replay: replay, turn: turn), attempt: turn,
                laneHash: nil, worker: "w", body: body))
    }

    private func story(_ records: [StoryRecord]) -> EventStory {
        let story = EventStory(fingerprint: event.fingerprint, records: records)
        #expect(EventStory(fingerprint: event.fingerprint, records: records.reversed()) == story)
        return story
    }

    private func state(_ records: StoryRecord...) -> EventStory.State { story(records).state }

    @Test func nothingIsUnknown() {
        #expect(story([]).state == .unknown)
        #expect(story([]).latest == nil)
    }

    @Test func aPublishedEventIsDueUntilItIsDecided() {
        #expect(state(record(0, .due(summary()))) == .due(since: start))
        #expect(
            state(record(0, .due(summary())), record(1, ledger(.outcome(OutcomeDetail(.completed)))))
                == .completed(at: start + 1000))
    }

    @Test func notesTellWhoHasIt() {
        let lease = Lease(holder: "old", length: 30_000)
        #expect(
            state(record(0, .due(summary())), record(1, ledger(.leased(lease))))
                == .running(worker: "old", since: start + 1000))
        #expect(
            state(record(0, .due(summary())), record(1, ledger(.leased(lease))), record(2, ledger(.released)))
                == .due(since: start))
        #expect(
            state(record(0, .due(summary())), record(1, ledger(.started(alone: true))))
                == .running(worker: "w", since: start + 1000))
        #expect(
            state(
                record(0, .due(summary())), record(1, ledger(.leased(lease))),
                record(2, ledger(.displaced(by: Fingerprint(high: 1, low: 1)))))
                == .running(worker: "old", since: start + 1000), "asked to end, it has not ended yet")
    }

    @Test func aRetryIsAgainThenWaitingThenDue() {
        let failed = record(1, ledger(.outcome(OutcomeDetail(.retrying, delay: 4000))))
        let waits = record(2, .waiting(summary(turn: 2), .after(milliseconds: 4000)))
        let emitted = record(6, .due(summary(turn: 2)))
        let published = record(0, .due(summary()))
        #expect(state(published, failed) == .again(delay: 4000, since: start + 1000))
        #expect(state(published, failed, waits) == .waiting(until: start + 6000))
        #expect(state(published, failed, waits, emitted) == .due(since: start + 6000))
        #expect(
            state(
                published, failed, waits, emitted,
                record(6, .retryTombstone(Coordinate(fingerprint: event.fingerprint, turn: 2))))
                == .due(since: start + 6000))
    }

    @Test func completedBeatsDeadAndALowerReplayCountsForNothing() {
        let dead = record(1, ledger(.outcome(OutcomeDetail(.dead, deathReason: .fatal)), turn: 3))
        let completed = record(2, ledger(.outcome(OutcomeDetail(.completed)), turn: 2))
        #expect(state(dead) == .dead(.fatal, .open))
        #expect(state(dead, completed) == .completed(at: start + 2000))
        #expect(
            state(dead, record(3, .due(summary(replay: 1)))) == .due(since: start + 3000))
    }

    @Test func marksOfTheLetterShow() {
        let key = DeadLetterKey(fingerprint: event.fingerprint, replay: 0)
        let letter = record(1, .letter(summary(), .tooOld, lastFailure: nil))
        let replayed = DeadLetterMark(kind: .replayed, by: "ann", reason: "fixed", at: start)
        let discarded = DeadLetterMark(kind: .discarded, by: "bob", reason: "old", at: start)
        #expect(state(letter) == .dead(.tooOld, .open))
        #expect(state(letter, record(2, .mark(key, replayed))) == .dead(.tooOld, .replayed(replayed)))
        #expect(
            state(letter, record(2, .mark(key, discarded)), record(3, .mark(key, replayed)))
                == .dead(.tooOld, .discarded(discarded)))
    }

    @Test func aCancelMarkerEndsAWait() {
        let waits = record(0, .waiting(summary(), .at(start + 60_000)))
        #expect(state(waits) == .waiting(until: start + 60_000))
        #expect(state(waits, record(1, .cancelMarker(replay: 0))) == .cancelled(at: start + 1000))
    }

    @Test func causesComeBeforeEffectsWithinOneMillisecond() {
        let words = story([
            record(0, ledger(.outcome(OutcomeDetail(.retrying, delay: 0)))), record(0, .due(summary(turn: 2))),
            record(0, .due(summary())), record(0, .waiting(summary(turn: 2), .after(milliseconds: 0))),
        ]).entries.map(\.fact.word)
        #expect(words == ["due", "retrying", "waiting", "emitted"])
    }

    @Test func endedStatesSaySo() {
        for outcome in Outcome.allCases {
            let story = story([record(0, ledger(.outcome(OutcomeDetail(outcome))))])
            #expect(story.hasEnded == (outcome.outcomeClass != .again), "\(outcome)")
        }
    }
}
