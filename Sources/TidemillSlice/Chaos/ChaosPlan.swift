import TaskClient
import TaskModel

/// The events and schedules of a chaos run: functions of the seed.
struct ChaosPlan: Sendable {
    var seed: UInt64

    static let long: Int64 = 20_000
    /// Shares of all events.
    static let isLong = 0.002
    static let failsAlways = 0.01
    static let failsOnce = 0.04
    static let failsTwice = 0.02
    static let isDelayed = 0.06

    func work(_ index: Int) -> Work {
        var draw = generator(index, stream: 1)
        let fate = draw.nextUnit()
        let length = draw.nextUnit()
        let isLong = length < Self.isLong
        let milliseconds: Int64 = isLong ? Self.long : length < 0.012 ? 250 : 2 + Int64(draw.nextUnit() * 4)
        let bounds = [
            (Self.failsAlways, Work.Fate.failsAlways), (Self.failsAlways + Self.failsOnce, .failsOnce),
            (Self.failsAlways + Self.failsOnce + Self.failsTwice, .failsTwice),
        ]
        return Work(
            index: index, fate: isLong ? .succeeds : bounds.first { fate < $0.0 }?.1 ?? .succeeds,
            milliseconds: milliseconds)
    }

    /// `now`: an event that waits for an instant waits for one after it.
    func request(_ index: Int, now: Timestamp) throws -> PublishRequest {
        let work = work(index)
        var draw = generator(index, stream: 2)
        var start = PublishRequest.Start.now
        if draw.nextUnit() < Self.isDelayed {
            let wait = 500 + Int64(draw.nextUnit() * 9500)
            start = draw.nextUnit() < 0.5 ? .after(milliseconds: wait) : .at(now + wait)
        }
        return try work.request(
            start: start, source: work.milliseconds == Self.long ? Work.longSource : "slice-chaos")
    }

    /// Every 1, 2, 3 and 5 s, one of them failing at first, and cron's every minute.
    func schedules() throws -> [ScheduleSpec] {
        let intervals: [(Int64, Work.Fate)] = [
            (1000, .succeeds), (2000, .succeeds), (3000, .failsOnce), (5000, .succeeds),
        ]
        var specs = try intervals.map { interval, fate in
            try spec("every-\(interval)ms", try .every(milliseconds: interval), fate)
        }
        specs.append(try spec("cron-every-minute", try .cron("* * * * *"), .succeeds))
        return specs
    }

    private func spec(_ id: String, _ trigger: Trigger, _ fate: Work.Fate) throws -> ScheduleSpec {
        let request = try PublishRequest(task: Work.task, json: Work(index: -1, fate: fate, milliseconds: 3))
        return ScheduleSpec(
            id: id, task: Work.task, trigger: trigger, payload: request.payload, contentType: request.contentType,
            overlap: .allow, catchUp: .all, maxAge: 86_400_000, maxCount: ScheduleSpec.maximumCount)
    }

    func generator(_ index: Int, stream: UInt64) -> SplitMix64 {
        var mix = SplitMix64(seed: seed ^ stream << 56 ^ UInt64(index))
        return SplitMix64(seed: mix.next())
    }
}
