import TaskModel

/// What became of records that nobody can read: each must come back in a letter, byte by byte.
struct LetterTally: Sendable {
    private struct Entry {
        var checksum: UInt64
        var letters = 0
    }

    /// By partition and offset of the due topic.
    private var written: [[Int64: Entry]]
    /// Letters that hold other bytes than their record had.
    private(set) var changed = 0
    /// Letters about places at which nothing of this kind was written, or with another reason.
    private(set) var strange = 0

    init(partitions: Int) { written = Array(repeating: [:], count: partitions) }

    mutating func wrote(_ checksum: UInt64, partition: Int32, offset: Int64) {
        written[Int(partition)][offset] = Entry(checksum: checksum)
    }

    mutating func add(_ letter: DeadLetter) {
        let place = letter.place
        guard letter.reason == .undecodable, let raw = letter.raw,
            written.indices.contains(Int(place.partition)),
            let entry = written[Int(place.partition)][place.offset]
        else {
            strange += 1
            return
        }
        let found = MalformedRecords.checksum(
            key: raw.key.map { [UInt8]($0) }, value: letter.event.payload,
            headers: raw.headers.map { RecordHeader($0.name, $0.value.map { [UInt8]($0) }) })
        if found != entry.checksum { changed += 1 }
        written[Int(place.partition)][place.offset]?.letters += 1
    }

    /// Records without a letter.
    var lost: Int { count { $0 == 0 } }
    /// Records with several: an append whose result was unknown is sent again under the same key.
    var repeated: Int { count { $0 > 1 } }

    private func count(_ isCounted: (Int) -> Bool) -> Int {
        written.reduce(0) { $0 + $1.values.count { isCounted($0.letters) } }
    }
}
