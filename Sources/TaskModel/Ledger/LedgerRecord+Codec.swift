/// Why a ledger value cannot be read.
public struct LedgerDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// Layout, version 1 (all numbers big-endian):
/// `version:1 kind:1 replay:4 turn:4 attempt:4`, then fields of `tag:1 length:2 bytes` in ascending order of tag.
/// Unknown tags are passed over, so that a newer writer may add some; an unknown version or kind is an error.
extension LedgerRecord {
    static let version: UInt8 = 1

    private enum Kind {
        static let leased: UInt8 = 64
        static let released: UInt8 = 65
        static let started: UInt8 = 66
        static let displaced: UInt8 = 67
    }

    private enum Tag: UInt8 {
        case laneHash = 1
        case worker, delay, nextAttempt, deathReason, startedAt, endedAt, code, message, leaseHolder, leaseLength, alone
        case displacedBy
    }

    public func encoded() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: maximumEncodedCount) { buffer, count in
            var writer = FieldWriter(UnsafeMutableRawBufferPointer(buffer))
            write(to: &writer)
            count = writer.count
        }
    }

    /// At least what it takes.
    private var maximumEncodedCount: Int {
        func count(_ text: String?) -> Int {
            text.map { FieldWriter.frame + min($0.utf8.count, FieldWriter.maximumText) } ?? 0
        }
        // The fixed part, and more than all numbers take together.
        let numbers = 128
        switch body {
        case .outcome(let detail):
            return numbers + count(worker) + count(detail.deathReason?.rawValue) + count(detail.code)
                + count(detail.message)
        case .leased(let lease): return numbers + count(worker) + count(lease.holder)
        case .released, .started, .displaced: return numbers + count(worker)
        }
    }

    private func write(to writer: inout FieldWriter) {
        writer.number(Self.version)
        writer.number(kind)
        writer.number(coordinate.replay)
        writer.number(coordinate.turn)
        writer.number(attempt)
        if let laneHash { writer.field(Tag.laneHash.rawValue, laneHash) }
        if !worker.isEmpty { writer.field(Tag.worker.rawValue, text: worker) }
        switch body {
        case .outcome(let detail): Self.write(detail, to: &writer)
        case .leased(let lease):
            writer.field(Tag.leaseHolder.rawValue, text: lease.holder)
            writer.field(Tag.leaseLength.rawValue, UInt64(bitPattern: lease.length))
        case .started(let alone): if alone { writer.field(Tag.alone.rawValue, UInt8(1)) }
        case .displaced(let other): writer.field(Tag.displacedBy.rawValue, bytes: other.bytes)
        case .released: break
        }
    }

    private var kind: UInt8 {
        switch body {
        case .outcome(let detail): detail.outcome.rawValue
        case .leased: Kind.leased
        case .released: Kind.released
        case .started: Kind.started
        case .displaced: Kind.displaced
        }
    }

    private static func write(_ detail: OutcomeDetail, to writer: inout FieldWriter) {
        if let delay = detail.delay { writer.field(Tag.delay.rawValue, UInt64(bitPattern: delay)) }
        if let next = detail.nextAttempt { writer.field(Tag.nextAttempt.rawValue, next) }
        if let reason = detail.deathReason { writer.field(Tag.deathReason.rawValue, text: reason.rawValue) }
        if let time = detail.startedAt { writer.field(Tag.startedAt.rawValue, UInt64(bitPattern: time.milliseconds)) }
        if let time = detail.endedAt { writer.field(Tag.endedAt.rawValue, UInt64(bitPattern: time.milliseconds)) }
        if let code = detail.code { writer.field(Tag.code.rawValue, text: code) }
        if let message = detail.message { writer.field(Tag.message.rawValue, text: message) }
    }

    /// Reads a record of the log; nil for what is no ledger record.
    public init?(key: [UInt8]?, value: [UInt8]?) {
        guard let key, let fingerprint = Fingerprint(bytes: key), let value,
            let record = try? LedgerRecord(fingerprint: fingerprint, value: value)
        else { return nil }
        self = record
    }

    /// Reads what ``encoded()`` wrote. `fingerprint` is the record's key.
    public init(fingerprint: Fingerprint, value: [UInt8]) throws(LedgerDecodingError) {
        self = try value.withUnsafeBytes { bytes in
            Result { () throws(LedgerDecodingError) in try LedgerRecord(fingerprint: fingerprint, bytes: bytes) }
        }.get()
    }

    /// The fields are read where they are: a restore reads a million records a second.
    private init(fingerprint: Fingerprint, bytes value: UnsafeRawBufferPointer) throws(LedgerDecodingError) {
        var reader = FieldReader(value)
        guard let version: UInt8 = reader.number(), let kind: UInt8 = reader.number(),
            let replay: UInt32 = reader.number(),
            let turn: UInt32 = reader.number(), let attempt: UInt32 = reader.number()
        else { throw LedgerDecodingError("a ledger value has at least 14 bytes, this one has \(value.count)") }
        guard version == Self.version else {
            throw LedgerDecodingError("ledger value version \(version); version \(Self.version) is read")
        }
        coordinate = Coordinate(fingerprint: fingerprint, replay: replay, turn: turn)
        self.attempt = attempt
        worker = ""
        var detail = Outcome(rawValue: kind).map { OutcomeDetail($0) }
        var lease = Lease(holder: "", length: 0)
        var isAlone = false
        var displacedBy: Fingerprint?
        while !reader.isAtEnd {
            guard let tag: UInt8 = reader.number(), let field = reader.field() else {
                throw LedgerDecodingError("a field runs past the end of the value")
            }
            // A length of time is never negative, whoever wrote it.
            switch Tag(rawValue: tag) {
            case .laneHash: laneHash = field.number()
            case .worker: worker = field.text
            case .delay: detail?.delay = (field.number() as Int64?).map { max(0, $0) }
            case .nextAttempt: detail?.nextAttempt = field.number()
            case .deathReason: detail?.deathReason = DeathReason(rawValue: field.text)
            case .startedAt: detail?.startedAt = field.number().map { Timestamp(milliseconds: $0) }
            case .endedAt: detail?.endedAt = field.number().map { Timestamp(milliseconds: $0) }
            case .code: detail?.code = field.text
            case .message: detail?.message = field.text.truncated(toUTF8Bytes: FailureHistory.maximumMessageBytes)
            case .leaseHolder: lease.holder = field.text
            case .leaseLength: lease.length = (field.number() as Int64?).map { max(0, $0) } ?? 0
            case .alone: isAlone = true
            case .displacedBy: displacedBy = Fingerprint(bytes: field.content)
            case nil: break
            }
        }
        switch kind {
        case Kind.leased: body = .leased(lease)
        case Kind.released: body = .released
        case Kind.started: body = .started(alone: isAlone)
        case Kind.displaced:
            guard let displacedBy else { throw LedgerDecodingError("it does not say which event displaces this one") }
            body = .displaced(by: displacedBy)
        default:
            guard let detail else { throw LedgerDecodingError("ledger value kind \(kind) is not known") }
            body = .outcome(detail)
        }
    }
}

/// Into memory that is large enough: it is the writer's mistake when it is not, and ends the process.
private struct FieldWriter {
    /// Bytes of a field beside its content.
    static let frame = 3
    /// Bytes; what is longer is cut.
    static let maximumText = FailureHistory.maximumMessageBytes

    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) { self.buffer = buffer }

    @inline(__always) mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        precondition(buffer.count - count >= Number.bitWidth / 8)
        buffer.storeBytes(of: value.bigEndian, toByteOffset: count, as: Number.self)
        count += Number.bitWidth / 8
    }

    @inline(__always) mutating func field<Number: FixedWidthInteger>(_ tag: UInt8, _ value: Number) {
        number(tag)
        number(UInt16(Number.bitWidth / 8))
        number(value)
    }

    mutating func field(_ tag: UInt8, bytes content: [UInt8]) {
        content.withUnsafeBytes { field(tag, $0) }
    }

    mutating func field(_ tag: UInt8, text: String) {
        var cut = text.truncated(toUTF8Bytes: Self.maximumText)
        cut.withUTF8 { field(tag, UnsafeRawBufferPointer($0)) }
    }

    private mutating func field(_ tag: UInt8, _ content: UnsafeRawBufferPointer) {
        number(tag)
        number(UInt16(content.count))
        precondition(buffer.count - count >= content.count)
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(from: content)
        count += content.count
    }
}

/// Good as long as the bytes are.
private struct FieldReader {
    struct Field {
        let bytes: UnsafeRawBufferPointer

        var text: String { String(decoding: bytes, as: UTF8.self) }

        var content: [UInt8] { Array(bytes) }

        /// Nil when it is not as wide as the number.
        func number<Number: FixedWidthInteger>() -> Number? {
            guard bytes.count == Number.bitWidth / 8 else { return nil }
            return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
        }
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number<Number: FixedWidthInteger>() -> Number? { take(Number.bitWidth / 8)?.number() }

    /// What lies behind a tag.
    mutating func field() -> Field? {
        guard let length: UInt16 = number() else { return nil }
        return take(Int(length))
    }

    private mutating func take(_ count: Int) -> Field? {
        guard bytes.count - position >= count else { return nil }
        defer { position += count }
        return Field(bytes: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
    }
}
