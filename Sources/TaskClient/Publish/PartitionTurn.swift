/// The partitions of a topic that have their turn: a part of the ring that the partitions are.
struct PartitionTurn: Hashable, Sendable {
    var first: Int32
    /// How many have it.
    var width: Int32
    /// How many there are.
    var count: Int32

    func contains(_ partition: Int32) -> Bool {
        let distance = partition - first
        return (distance < 0 ? distance + count : distance) < width
    }
}
