/// What one search for a nominal time may cost. Triggers made of triggers multiply: an intersection asks an exclusion again and
/// again, which steps over instants one by one. Each limit alone is sound, all of them together are years.
struct SearchEffort {
    /// Triggers asked in one search: about a second of work.
    static let limit = 2_000_000

    private var left = limit

    /// The search has cost too much: what it found so far may be wrong, and counts as nothing.
    var isSpent: Bool { left < 0 }

    mutating func spend() -> Bool {
        left -= 1
        return left >= 0
    }
}
