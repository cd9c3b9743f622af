/// Offsets of the ledger whose decisions this worker has applied at their acknowledgement: the follower's copies of them
/// are passed by unread. As runs, for a busy worker is nearly alone in its ledgers.
struct OwnDecisions: Hashable, Sendable {
    /// Runs apart that are kept; of older ones the follower's copies are read, which is harmless.
    static let maximumRuns = 64

    /// Ascending, none touching the next.
    private(set) var runs: [Range<Int64>] = []

    /// Acknowledgements of a partition come in the order of its offsets; what does not is left to the follower, as is an
    /// offset that the log did not tell.
    mutating func insert(_ offset: Int64) {
        guard let last = runs.last else {
            if offset >= 0 { runs.append(offset..<offset + 1) }
            return
        }
        guard offset >= last.upperBound else { return }
        if offset == last.upperBound {
            runs[runs.count - 1] = last.lowerBound..<offset + 1
        } else {
            if runs.count == Self.maximumRuns { runs.removeFirst() }
            runs.append(offset..<offset + 1)
        }
    }

    /// Where the decisions of this worker that lie from `offset` on without a gap end; nil where none lies there.
    func end(from offset: Int64) -> Int64? {
        guard let run = runs.first(where: { $0.upperBound > offset }), run.contains(offset) else { return nil }
        return run.upperBound
    }

    /// Whether it is one of them. Offsets are asked for in ascending order: what lies below is forgotten.
    mutating func takes(_ offset: Int64) -> Bool {
        while let first = runs.first, first.upperBound <= offset { runs.removeFirst() }
        return runs.first?.contains(offset) == true
    }
}
