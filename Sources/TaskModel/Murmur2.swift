/// The partitioner of Kafka's Java client: murmur2 of the key, made positive, modulo the partition count.
///
/// Computed by us and passed explicitly, because librdkafka's default (CRC32) puts a key elsewhere than Java does.
/// Source: `org.apache.kafka.common.utils.Utils.murmur2` (the algorithm is Austin Appleby's, public domain).
public enum Murmur2 {
    public static func hash(_ key: [UInt8]) -> UInt32 { key.withUnsafeBytes { hash($0) } }

    public static func hash(_ key: String) -> UInt32 {
        var key = key
        return key.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }

    /// Of the bytes that ``Fingerprint/bytes`` gives.
    public static func hash(_ key: Fingerprint) -> UInt32 {
        withUnsafeBytes(of: (key.high.bigEndian, key.low.bigEndian)) { hash($0) }
    }

    public static func hash(_ key: UnsafeRawBufferPointer) -> UInt32 {
        let multiplier: UInt32 = 0x5bd1_e995
        var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: key.count)
        var index = 0
        while key.count - index >= 4 {
            var block = UInt32(littleEndian: key.loadUnaligned(fromByteOffset: index, as: UInt32.self))
            block = block &* multiplier
            block ^= block >> 24
            block = block &* multiplier
            hash = (hash &* multiplier) ^ block
            index += 4
        }
        if index < key.count {
            for shift in 0..<key.count - index { hash ^= UInt32(key[index + shift]) << UInt32(8 * shift) }
            hash = hash &* multiplier
        }
        hash ^= hash >> 13
        hash = hash &* multiplier
        return hash ^ (hash >> 15)
    }

    /// The partition of `key` among `count` partitions (`count` > 0).
    public static func partition(of key: [UInt8], count: Int32) -> Int32 { partition(ofHash: hash(key), count: count) }

    /// The partition of the key that a fingerprint's bytes are.
    public static func partition(of key: Fingerprint, count: Int32) -> Int32 {
        partition(ofHash: hash(key), count: count)
    }

    /// The partition of the key that has this hash.
    public static func partition(ofHash hash: UInt32, count: Int32) -> Int32 { Int32(hash & 0x7fff_ffff) % count }
}
