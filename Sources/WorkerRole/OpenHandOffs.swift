internal import TaskModel

package typealias HandOffID = Int64

/// Hand-offs that have a word for the next owner (a lease, a release, a decision) which the log has not taken yet.
///
/// A log that refuses such a word gets it again after a pause; without it the next owner would run the turn once more.
struct OpenHandOffs: Hashable, Sendable {
    private var open: [HandOffID: Set<Coordinate>] = [:]
    private var next: HandOffID = 1

    var isEmpty: Bool { open.isEmpty }

    /// `coordinates` are the turns that it has a word on. It waits for the words of those before it as well: a group
    /// that takes the same partitions back once more must not get them sooner. Nil when there is none to wait for.
    mutating func begin(_ coordinates: Set<Coordinate>) -> HandOffID? {
        let words = open.values.reduce(into: coordinates) { $0.formUnion($1) }
        guard !words.isEmpty else { return nil }
        defer { next += 1 }
        open[next] = words
        return next
    }

    /// The word on this turn is in the log, or is given up. Returns the hand-offs that wait for no other.
    mutating func end(_ coordinate: Coordinate) -> [HandOffID] {
        guard !open.isEmpty else { return [] }
        var done: [HandOffID] = []
        for id in open.keys where open[id]?.remove(coordinate) != nil && open[id]?.isEmpty == true { done.append(id) }
        for id in done { open[id] = nil }
        return done.sorted()
    }
}
