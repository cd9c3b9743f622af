import TaskLog
import TaskModel
import Testing

@testable import SchedulerRole

/// The fold of a partition of `retry`, record by record. The clock is the record's timestamp; offsets count from 0.
struct RetryTimersTests {
    private let lifetime: Int64 = 1000
    private let noon = Timestamp(seconds: 43_200)

    private func makeTimers(budget: Int = 1 << 20, _ records: LogRecord...) -> RetryTimers {
        var timers = RetryTimers(position: 0, budget: budget, markerLifetime: lifetime)
        for record in records { timers.apply(record) }
        return timers
    }

    private func waiting(_ name: String, _ offset: Int64, delay: Int64, turn: UInt32 = 1) -> LogRecord {
        var event = event(name)
        event.turn = turn
        let body = WaitingEvent(event: event, queue: "q", due: .after(milliseconds: delay)).encoded()
        return LogRecord(
            topic: "r", partition: 0, offset: offset, timestamp: noon, key: body.key, value: body.value,
            headers: body.headers)
    }

    private func record(_ key: RetryKey, _ offset: Int64, value: [UInt8]?) -> LogRecord {
        LogRecord(topic: "r", partition: 0, offset: offset, timestamp: noon, key: key.bytes, value: value)
    }

    private func tombstone(_ name: String, _ offset: Int64) -> LogRecord {
        record(.emission(event(name).coordinate), offset, value: nil)
    }

    private func marker(_ name: String, _ offset: Int64) -> LogRecord {
        record(.cancel(event(name).fingerprint, replay: 0), offset, value: [])
    }

    private let somewhere = RecordPlace(topic: "t", partition: 0, offset: 0)

    private func names(_ due: [RetryTimers.DueEntry]) -> [String] {
        due.map {
            switch $0.work {
            case .emit(let emission): "emit \((try? emission.event(place: somewhere).id) ?? "nothing")"
            case .drop: "drop"
            case .bury: "bury"
            }
        }
    }

    @Test func comesUpInOrderOfTimeAndNotBefore() {
        var timers = makeTimers(waiting("b", 0, delay: 200), waiting("a", 1, delay: 100), waiting("c", 2, delay: 300))
        #expect(timers.nextWake(fetchAhead: 0) == noon + 100)
        #expect(timers.takeDue(now: noon + 99, limit: 10).isEmpty)
        #expect(names(timers.takeDue(now: noon + 200, limit: 10)) == ["emit a", "emit b"])
        #expect(timers.takeDue(now: noon + 200, limit: 10).isEmpty)
        #expect(timers.nextWake(fetchAhead: 0) == noon + 300)
    }

    @Test func handsOutNoMoreThanTheLimit() {
        var timers = makeTimers(waiting("a", 0, delay: 1), waiting("b", 1, delay: 2))
        #expect(names(timers.takeDue(now: noon + 9, limit: 1)) == ["emit a"])
        #expect(timers.nextWake(fetchAhead: 0) == noon + 2)
        #expect(names(timers.takeDue(now: noon + 9, limit: 1)) == ["emit b"])
    }

    @Test func aTombstoneFoldsAway() {
        var timers = makeTimers(waiting("a", 0, delay: 100), waiting("b", 1, delay: 200), tombstone("a", 2))
        #expect(timers.count == 1)
        #expect(timers.nextWake(fetchAhead: 0) == noon + 200)
    }

    /// A worker that did not hear of its append sends it again: the last record counts.
    @Test func aLaterRecordOfAKeySupersedes() {
        var timers = makeTimers(waiting("a", 0, delay: 100), waiting("a", 1, delay: 500))
        #expect(timers.count == 1)
        #expect(timers.nextWake(fetchAhead: 0) == noon + 500)
        timers.settleOffsets()
        #expect(timers.lowestLiveOffset == 1)
    }

    @Test func aTombstoneEndsOnlyWhatLiesBeforeIt() {
        var timers = makeTimers(waiting("a", 0, delay: 0))
        _ = timers.takeDue(now: noon, limit: 1)
        timers.apply(waiting("a", 5, delay: 100))
        timers.finish(event("a").coordinate, tombstone: 3)
        #expect(timers.count == 1)
        timers.finish(event("a").coordinate, tombstone: 6)
        #expect(timers.count == 0)
    }

    @Test func theLowestLiveOffsetIsWhatMustBeReadAgain() {
        var timers = makeTimers(
            waiting("a", 3, delay: 100), waiting("b", 4, delay: 100), marker("x", 5), tombstone("a", 6))
        timers.settleOffsets()
        #expect(timers.lowestLiveOffset == 4)
        timers.apply(tombstone("b", 7))
        timers.settleOffsets()
        #expect(timers.lowestLiveOffset == 5)
        timers.apply(record(.cancel(event("x").fingerprint, replay: 0), 8, value: nil))
        timers.settleOffsets()
        #expect(timers.lowestLiveOffset == 9)
    }

    @Test func aMarkerDropsEveryTurnOfItsReplayAndNoOther() {
        var other = event("a")
        other.replay = 1
        let body = WaitingEvent(event: other, queue: "q", due: .after(milliseconds: 100)).encoded()
        let replay = LogRecord(
            topic: "r", partition: 0, offset: 2, timestamp: noon, key: body.key, value: body.value,
            headers: body.headers)
        var timers = makeTimers(
            waiting("a", 0, delay: 100), waiting("a", 1, delay: 100, turn: 2), replay, marker("a", 3))
        #expect(names(timers.takeDue(now: noon, limit: 10)) == ["drop", "drop"])
        timers.apply(waiting("a", 4, delay: 100, turn: 3))
        #expect(names(timers.takeDue(now: noon, limit: 10)) == ["drop"])
        #expect(names(timers.takeDue(now: noon + 100, limit: 10)) == ["emit a"])
    }

    @Test func aMarkerEndsWithItsLifetime() {
        var timers = makeTimers(marker("a", 0))
        #expect(timers.nextWake(fetchAhead: 0) == noon + lifetime)
        #expect(timers.takeEndedMarkers(now: noon + lifetime - 1).isEmpty)
        #expect(timers.takeEndedMarkers(now: noon + lifetime) == [.cancel(event("a").fingerprint, replay: 0)])
        timers.apply(waiting("a", 1, delay: 0))
        #expect(names(timers.takeDue(now: noon, limit: 1)) == ["emit a"])
    }

    @Test func beyondTheBudgetOnlyStubsAreKept() {
        var timers = makeTimers(budget: 0, waiting("a", 7, delay: 20_000), waiting("b", 9, delay: 40_000))
        #expect(timers.nextWake(fetchAhead: 10_000) == noon + 10_000)
        #expect(timers.takeFetches(horizon: noon + 19_999).isEmpty)
        #expect(timers.takeFetches(horizon: noon + 20_000) == [7])
        // While the fetch is under way nothing else is asked for, and its time passing hands nothing out.
        #expect(timers.takeFetches(horizon: noon + 90_000).isEmpty)
        #expect(timers.takeDue(now: noon + 20_000, limit: 10).isEmpty)
        timers.fetchFailed(asked: [7])
        #expect(timers.takeFetches(horizon: noon + 20_000) == [7])
        timers.loaded([waiting("a", 7, delay: 20_000)], asked: [7])
        #expect(names(timers.takeDue(now: noon + 20_000, limit: 10)) == ["emit a"])
        #expect(timers.takeFetches(horizon: noon + 90_000) == [9])
        timers.loaded([], asked: [9])
        #expect(timers.count == 1)
    }

    /// The marker came while it was on its way to a topic that turned out to be gone.
    @Test func whatWasCancelledOnItsWayIsNotParked() {
        var timers = makeTimers(waiting("a", 0, delay: 0))
        #expect(names(timers.takeDue(now: noon, limit: 1)) == ["emit a"])
        timers.apply(marker("a", 1))
        timers.park(event("a").coordinate, queue: "q")
        #expect(timers.parkedCount == 0)
        #expect(names(timers.takeDue(now: noon, limit: 1)) == ["drop"])
    }

    @Test func parkedEventsComeUpWhenTheirQueueExists() {
        var timers = makeTimers(waiting("a", 0, delay: 0))
        _ = timers.takeDue(now: noon, limit: 1)
        timers.park(event("a").coordinate, queue: "q")
        #expect(timers.parkedCount == 1)
        #expect(timers.nextWake(fetchAhead: 0) == nil)
        timers.unpark(queue: "other")
        #expect(timers.parkedCount == 1)
        timers.unpark(queue: "q")
        #expect(names(timers.takeDue(now: noon, limit: 1)) == ["emit a"])
        timers.park(event("a").coordinate, queue: "q")
        timers.unloadParked(queue: "q")
        timers.unpark(queue: "q")
        #expect(timers.takeFetches(horizon: noon) == [0])
        timers.loaded([waiting("a", 0, delay: 0)], asked: [0])
        #expect(names(timers.takeDue(now: noon, limit: 1)) == ["emit a"])
    }

    @Test func whatCannotBeReadIsBuriedAndWhatHasNoKeyIsReported() {
        var broken = waiting("a", 0, delay: 0)
        broken.headers = broken.headers.without(["tidemill_queue"])
        var foreign = waiting("b", 1, delay: 0)
        foreign.key = nil
        var contradicting = waiting("c", 2, delay: 0)
        contradicting.key = Array(event("d").coordinate.description.utf8)
        var timers = makeTimers(broken, foreign, contradicting)
        #expect(names(timers.takeDue(now: noon, limit: 9)) == ["bury", "bury"])
        #expect(timers.takeForeign().map(\.offset) == [1])
        #expect(timers.takeForeign().isEmpty)
    }

    @Test func neighboursAreFetchedInOneScan() {
        #expect(Restorer.runs([1, 2, 5, 100, 116, 200]) == [1...5, 100...116, 200...200])
        #expect(Restorer.runs([]).isEmpty)
    }
}
