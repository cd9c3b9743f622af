import TaskClient
import TaskModel

/// What a handler is to do with an event: its payload.
struct Work: Codable, Hashable, Sendable {
    enum Fate: String, Codable, Sendable {
        case succeeds
        /// Fails at its first attempt.
        case failsOnce
        /// Fails at its first two attempts.
        case failsTwice
        /// Fails until the fix is there.
        case failsAlways
        /// Ends the process that runs it.
        case kills
        /// Works on when it is cancelled.
        case stubborn
    }

    static let task = "slice.work"
    /// The CloudEvents source of works that are to take long: their age is no sign of trouble.
    static let longSource = "slice-long"

    var index: Int
    var fate = Fate.succeeds
    /// How long the handler takes.
    var milliseconds: Int64 = 0

    /// A request whose fingerprint depends on the index alone, so that publishing it again is recognised.
    func request(start: PublishRequest.Start = .now, source: String = "slice") throws -> PublishRequest {
        var request = try PublishRequest(task: Self.task, json: self)
        request.start = start
        request.source = source
        request.id = "event-\(index)"
        return request
    }
}

/// The events of a run: a function of the seed and the index.
struct WorkPlan: Sendable {
    var seed: UInt64
    var count: Int

    /// Shares of all events. Beside them, one in a hundred takes long, so that a kill finds work under way.
    static let failsOnce = 0.05
    static let failsAlways = 0.01
    static let delayed = 0.03
    static let long = 0.01

    func work(_ index: Int) -> Work {
        var draw = generator(index, stream: 1)
        let fate = draw.nextUnit()
        let isLong = draw.nextUnit() < Self.long
        let milliseconds = isLong ? 250 : 2 + Int64(draw.nextUnit() * 4)
        return Work(
            index: index,
            fate: fate < Self.failsAlways
                ? .failsAlways : fate < Self.failsAlways + Self.failsOnce ? .failsOnce : .succeeds,
            milliseconds: milliseconds)
    }

    func start(_ index: Int) -> PublishRequest.Start {
        var draw = generator(index, stream: 2)
        guard draw.nextUnit() < Self.delayed else { return .now }
        return .after(milliseconds: 500 + Int64(draw.nextUnit() * 4500))
    }

    func expected(_ fate: Work.Fate) -> Int { (0..<count).count { work($0).fate == fate } }

    var expectedDelayed: Int { (0..<count).count { start($0) != .now } }

    private func generator(_ index: Int, stream: UInt64) -> SplitMix64 {
        var mix = SplitMix64(seed: seed ^ stream << 56 ^ UInt64(index))
        return SplitMix64(seed: mix.next())
    }
}
