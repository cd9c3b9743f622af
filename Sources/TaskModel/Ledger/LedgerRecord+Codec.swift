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
    }

    private enum Tag: UInt8 {
        case laneHash = 1
        case worker, delay, nextAttempt, deathReason, startedAt, endedAt, code, message, leaseHolder, leaseLength, alone
    }

    public func encoded() -> [UInt8] {
        var writer = FieldWriter()
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
        case .released: break
        }
        return writer.bytes
    }

    private var kind: UInt8 {
        switch body {
        case .outcome(let detail): detail.outcome.rawValue
        case .leased: Kind.leased
        case .released: Kind.released
        case .started: Kind.started
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

    /// Reads what ``encoded()`` wrote. `fingerprint` is the record's key.
    public init(fingerprint: Fingerprint, value: [UInt8]) throws(LedgerDecodingError) {
        var reader = FieldReader(value)
        guard let version: UInt8 = reader.number(), let kind: UInt8 = reader.number(),
            let replay: UInt32 = reader.number(),
            let turn: UInt32 = reader.number(), let attempt: UInt32 = reader.number()
        else { throw LedgerDecodingError("a ledger value has at least 14 bytes, this one has \(value.count)") }
        guard version == Self.version else {
            throw LedgerDecodingError("ledger value version \(version); version \(Self.version) is read")
        }
        var fields: [UInt8: ArraySlice<UInt8>] = [:]
        while !reader.isAtEnd {
            guard let (tag, bytes) = reader.field() else {
                throw LedgerDecodingError("a field runs past the end of the value")
            }
            fields[tag] = bytes
        }
        func number<Number: FixedWidthInteger>(_ tag: Tag) -> Number? {
            guard let bytes = fields[tag.rawValue], bytes.count == Number.bitWidth / 8 else { return nil }
            return bytes.reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
        }
        func text(_ tag: Tag) -> String? { fields[tag.rawValue].map { String(decoding: $0, as: UTF8.self) } }
        func time(_ tag: Tag) -> Timestamp? { (number(tag) as Int64?).map { Timestamp(milliseconds: $0) } }

        /// A length of time is never negative, whoever wrote it.
        func span(_ tag: Tag) -> Int64? { (number(tag) as Int64?).map { max(0, $0) } }

        coordinate = Coordinate(fingerprint: fingerprint, replay: replay, turn: turn)
        self.attempt = attempt
        laneHash = number(.laneHash)
        worker = text(.worker) ?? ""
        switch kind {
        case Kind.leased: body = .leased(Lease(holder: text(.leaseHolder) ?? "", length: span(.leaseLength) ?? 0))
        case Kind.released: body = .released
        case Kind.started: body = .started(alone: fields[Tag.alone.rawValue] != nil)
        default:
            guard let outcome = Outcome(rawValue: kind) else {
                throw LedgerDecodingError("ledger value kind \(kind) is not known")
            }
            body = .outcome(
                OutcomeDetail(
                    outcome, delay: span(.delay), nextAttempt: number(.nextAttempt),
                    deathReason: text(.deathReason).flatMap(DeathReason.init(rawValue:)), startedAt: time(.startedAt),
                    endedAt: time(.endedAt), code: text(.code), message: text(.message)))
        }
    }
}

private struct FieldWriter {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(64) }

    mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func field(_ tag: UInt8, _ value: some FixedWidthInteger) {
        bytes.append(tag)
        number(UInt16(value.bitWidth / 8))
        number(value)
    }

    mutating func field(_ tag: UInt8, text: String) {
        let cut = text.truncated(toUTF8Bytes: FailureHistory.maximumMessageBytes)
        bytes.append(tag)
        number(UInt16(cut.utf8.count))
        bytes.append(contentsOf: cut.utf8)
    }
}

private struct FieldReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number<Number: FixedWidthInteger>() -> Number? {
        let width = Number.bitWidth / 8
        guard bytes.count - position >= width else { return nil }
        defer { position += width }
        return bytes[position..<position + width].reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func field() -> (UInt8, ArraySlice<UInt8>)? {
        guard let tag: UInt8 = number(), let length: UInt16 = number(), bytes.count - position >= Int(length) else {
            return nil
        }
        defer { position += Int(length) }
        return (tag, bytes[position..<position + Int(length)])
    }
}
