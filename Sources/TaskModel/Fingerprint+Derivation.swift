import CCrypto
import Synchronization

/// Where an event's identity comes from. Each case is hashed under a domain of its own, so no two can collide by content.
///
/// The fingerprint is the first 16 bytes of SHA-256 over `tidemill.fingerprint.v1`, the case's number, and its fields,
/// each preceded by its length as 32 bits big-endian. `schemas/fingerprint-v1.vectors.json` holds test vectors.
public enum Identity: Hashable, Sendable {
    /// A fire of a schedule: one per nominal time.
    case scheduled(scheduleID: String, nominalTime: Timestamp)
    /// The caller's own idempotency key.
    case idempotencyKey(task: String, key: String)
    /// Equal payloads of one task are the same work, within a bucket of time when a window is given.
    case unique(task: String, canonicalPayload: [UInt8], bucket: Int64?)
    /// A record that cannot be read, by its place.
    case place(topic: String, partition: Int32, offset: Int64)
    /// CloudEvents source and id: a publisher's own retry is recognised.
    case event(source: String, id: String)
}

extension Fingerprint {
    public init(_ identity: Identity) {
        var hasher = FingerprintInput()
        switch identity {
        case .scheduled(let scheduleID, let nominalTime):
            hasher.begin(1)
            hasher.add(scheduleID)
            hasher.add(nominalTime.milliseconds)
        case .idempotencyKey(let task, let key):
            hasher.begin(2)
            hasher.add(task)
            hasher.add(key)
        case .unique(let task, let payload, let bucket):
            hasher.begin(3)
            hasher.add(task)
            hasher.add(payload)
            if let bucket { hasher.add(bucket) }
        case .place(let topic, let partition, let offset):
            hasher.begin(4)
            hasher.add(topic)
            hasher.add(Int64(partition))
            hasher.add(offset)
        case .event(let source, let id):
            hasher.begin(5)
            hasher.add(source)
            hasher.add(id)
        }
        self = hasher.fingerprint
    }

    /// The bucket of `now` for a uniqueness window of `window` milliseconds (> 0).
    public static func bucket(of now: Timestamp, window: Int64) -> Int64 {
        let (quotient, remainder) = now.milliseconds.quotientAndRemainder(dividingBy: window)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

private struct FingerprintInput {
    private var bytes: [UInt8]

    init() {
        bytes = []
        bytes.reserveCapacity(128)
        bytes += "tidemill.fingerprint.v1".utf8
    }

    mutating func begin(_ domain: UInt8) { bytes.append(domain) }

    mutating func add(_ text: String) {
        add(length: text.utf8.count)
        bytes += text.utf8
    }

    mutating func add(_ field: [UInt8]) {
        add(length: field.count)
        bytes += field
    }

    mutating func add(_ number: Int64) {
        add(length: 8)
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }

    private mutating func add(length: Int) {
        withUnsafeBytes(of: UInt32(length).bigEndian) { bytes += $0 }
    }

    var fingerprint: Fingerprint {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digest in
            Self.hash(bytes, digest.baseAddress)
            let words = UnsafeRawBufferPointer(digest)
            return Fingerprint(
                high: UInt64(bigEndian: words.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: words.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    private static func hash(_ bytes: [UInt8], _ digest: UnsafeMutablePointer<UInt8>?) {
        let spare = Self.spare.exchange(0, ordering: .acquiring)
        guard let context = OpaquePointer(bitPattern: spare) ?? EVP_MD_CTX_new() else {
            preconditionFailure("no memory for a digest")
        }
        // A context that has hashed begins anew without an algorithm named.
        let isDone =
            EVP_DigestInit_ex2(context, spare == 0 ? sha256 : nil, nil) == 1
            && EVP_DigestUpdate(context, bytes, bytes.count) == 1 && EVP_DigestFinal_ex(context, digest, nil) == 1
        precondition(isDone, "OpenSSL refuses SHA-256")
        let other = Self.spare.exchange(UInt(bitPattern: context), ordering: .acquiringAndReleasing)
        EVP_MD_CTX_free(OpaquePointer(bitPattern: other))
    }

    /// A context that nobody uses, or 0: to make one and free it costs more than a hash.
    private static let spare = Atomic<UInt>(0)

    /// Looked up once: OpenSSL's plain `SHA256` does so at each call, which costs more than the hash. Never freed and
    /// never changed.
    private nonisolated(unsafe) static let sha256 = EVP_MD_fetch(nil, "SHA256", nil)
}
