internal import TaskModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Ids of events whose publisher gave none.
enum EventID {
    /// A random UUID (RFC 9562, version 4), lower-case.
    ///
    /// The bits come from the system, which is asked for each id: a stock of ours would repeat itself in a forked or
    /// restored copy of the process, and the events of one copy would pass for those of the other. (From
    /// glibc 2.41 on, with Linux 6.11, `arc4random_buf` answers without a call into the kernel, out of a state that the
    /// kernel renews in such a copy. It came with glibc 2.36; until 2.41 it asks the kernel each time.)
    static func random() -> String {
        let words = randomWords()
        return text(high: words.high, low: words.low)
    }

    /// One whose event goes to a partition that has its turn, and the event's fingerprint. Where a third of the partitions
    /// has it, that takes three tries in the mean; after `maximumTries` any id will do.
    static func random(source: String, in turn: PartitionTurn) -> (id: String, fingerprint: Fingerprint) {
        var words = randomWords()
        var tries = 1
        while true {
            let id = text(high: words.high, low: words.low)
            let fingerprint = Fingerprint(.event(source: source, id: id))
            let partition = Murmur2.partition(of: fingerprint, count: turn.count)
            if turn.contains(partition) || tries == maximumTries { return (id, fingerprint) }
            words.low &+= 1
            tries += 1
        }
    }

    /// So many that hardly an event ever goes elsewhere, where it would need a request of its own.
    private static let maximumTries = 64

    private static func randomWords() -> (high: UInt64, low: UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        #if canImport(Musl)
            let isFilled = withUnsafeMutableBytes(of: &words) { getentropy($0.baseAddress!, $0.count) == 0 }
            // Two calls, and it waits where the system has no randomness yet.
            if !isFilled { words = (.random(in: .min ... .max), .random(in: .min ... .max)) }
        #else
            withUnsafeMutableBytes(of: &words) { arc4random_buf($0.baseAddress!, $0.count) }
        #endif
        return (words.0, words.1)
    }

    /// These bits, with those of version and variant put right.
    static func text(high: UInt64, low: UInt64) -> String {
        let words = [high & ~0xf000 | 0x4000, low & ~(3 << 62) | 2 << 62]
        let digits = StaticString("0123456789abcdef")
        return String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for digit in 0..<32 {
                if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let shift = UInt64(60 - 4 * (digit % 16))
                buffer[position] = digits.utf8Start[Int(words[digit / 16] >> shift & 15)]
                position += 1
            }
            return position
        }
    }
}
