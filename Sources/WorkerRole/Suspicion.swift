internal import TaskModel

/// What is known against an event after an unclean takeover: how many of its starts were lost.
struct Suspicion: Hashable, Sendable {
    var lostStarts: Int
    /// Lost starts at which no other suspect ran in that process.
    var lostAlone: Int

    init(_ notes: TurnNotes?) {
        lostStarts = notes?.starts ?? 0
        lostAlone = notes?.aloneStarts ?? 0
    }

    /// Lost starts alone among suspects after which it is dead. One may be chance (a deploy, the machine); two are not.
    static let deadlyStarts = 2

    var isProven: Bool { lostAlone >= Self.deadlyStarts }

    /// How many other suspects may run beside it: fewer than concurrency / 8ⁿ after n lost starts.
    func companions(concurrency: Int) -> Int {
        var limit = concurrency
        for _ in 0..<min(lostStarts, 16) { limit /= 8 }
        return max(0, limit - 1)
    }
}

/// The suspects that run now, and who may join them.
struct SuspectRegister: Hashable, Sendable {
    private var running: [TurnPlaceKey: Suspicion] = [:]

    /// A turn's identity for the register: its coordinate.
    typealias TurnPlaceKey = Coordinate

    var count: Int { running.count }

    /// A suspect may start only if neither it nor any that runs would have more companions than it may.
    func admits(_ suspicion: Suspicion, concurrency: Int) -> Bool {
        running.count <= suspicion.companions(concurrency: concurrency)
            && running.values.allSatisfy { running.count <= $0.companions(concurrency: concurrency) }
    }

    mutating func insert(_ coordinate: Coordinate, _ suspicion: Suspicion) { running[coordinate] = suspicion }
    mutating func remove(_ coordinate: Coordinate) { running[coordinate] = nil }
}
