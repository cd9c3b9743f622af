import CCrypto
import Synchronization

/// Ids of events whose publisher gave none.
enum EventID {
    /// A random UUID (RFC 9562, version 4), lower-case.
    static func random() -> String {
        let (high, low) = stock.withLock { stock in
            if stock.isEmpty { stock = randomWords() }
            return (stock.removeLast(), stock.removeLast())
        }
        return text(high: high, low: low)
    }

    private static let stock = Mutex<[UInt64]>([])
    private static let stockCount = 64

    /// From OpenSSL's generator, for 32 ids at once: a call to it, and even more the system call for each number that
    /// `SystemRandomNumberGenerator` makes on Linux, costs as much as a good part of the event that gets the id.
    private static func randomWords() -> [UInt64] {
        let words = [UInt64](unsafeUninitializedCapacity: stockCount) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer).bindMemory(to: UInt8.self)
            let isFilled = RAND_bytes(bytes.baseAddress, Int32(8 * stockCount)) == 1
            count = isFilled ? stockCount : 0
        }
        // It fails when it cannot be seeded; then the system says what it can.
        return words.isEmpty ? (0..<stockCount).map { _ in .random(in: .min ... .max) } : words
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
