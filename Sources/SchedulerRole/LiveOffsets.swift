internal import TaskModel

/// Offsets of records that may still matter, ascending as the log is: the first one that does is what is committed.
struct LiveOffsets: Sendable {
    private var offsets: [(offset: Int64, key: RetryKey)] = []
    private var head = 0

    /// Removed ones are kept until there are so many and as many as the rest.
    private static let slack = 1024

    var lowest: Int64? { head < offsets.count ? offsets[head].offset : nil }

    /// `offset` is higher than all before it.
    mutating func append(_ offset: Int64, _ key: RetryKey) { offsets.append((offset, key)) }

    /// Removes from the front what `isDead` says, up to the first that is not.
    mutating func removeFirst(while isDead: (Int64, RetryKey) -> Bool) {
        while head < offsets.count, isDead(offsets[head].offset, offsets[head].key) { head += 1 }
        guard head >= Self.slack, head >= offsets.count / 2 else { return }
        offsets.removeFirst(head)
        head = 0
    }
}
