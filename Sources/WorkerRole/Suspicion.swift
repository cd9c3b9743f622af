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

/// The suspects that run now or are about to, and who may join them.
struct SuspectRegister: Hashable, Sendable {
    private let concurrency: Int
    /// Companions that each one bears.
    private var members: [Coordinate: Int] = [:]
    private var noting: Set<Coordinate> = []
    /// The least of `members`.
    private var tolerance = Int.max

    init(concurrency: Int) { self.concurrency = concurrency }

    /// Those whose note is on the way: they hold a slot already.
    var notingCount: Int { noting.count }

    /// Whether anybody at all could join.
    var isClosed: Bool { members.count > tolerance }

    /// A suspect may start only if neither it nor any that runs would have more companions than it may.
    func admits(_ suspicion: Suspicion) -> Bool {
        members.count <= min(tolerance, suspicion.companions(concurrency: concurrency))
    }

    mutating func note(_ coordinate: Coordinate, _ suspicion: Suspicion) {
        let companions = suspicion.companions(concurrency: concurrency)
        members[coordinate] = companions
        noting.insert(coordinate)
        tolerance = min(tolerance, companions)
    }

    mutating func started(_ coordinate: Coordinate) { noting.remove(coordinate) }

    mutating func remove(_ coordinate: Coordinate) {
        noting.remove(coordinate)
        guard members.removeValue(forKey: coordinate) == tolerance else { return }
        tolerance = members.values.min() ?? .max
    }
}
