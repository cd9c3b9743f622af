/// The headers of a record, in order, as one block of bytes: a log carries them without taking them apart, and a reader
/// looks at them where they lie.
///
/// The block holds for each header its name and its value, both behind their length as a base-128 number; the length of a
/// value is one more than its bytes, so that 0 is an absent value.
public struct RecordHeaders: Hashable, Sendable {
    /// The block; empty for no headers.
    public private(set) var block: [UInt8]

    public init() { block = [] }

    public init(_ headers: some Sequence<RecordHeader>) {
        self.init()
        for header in headers { append(header) }
    }

    /// Takes a block as it was kept somewhere; nil if it is none.
    public init?(block: [UInt8]) {
        let isWhole = block.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                guard Part(bytes, &position) != nil else { return false }
            }
            return true
        }
        guard isWhole else { return nil }
        self.block = block
    }

    /// A header that lies elsewhere.
    public typealias Place = (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?)

    /// Makes a block of headers that lie elsewhere, with one allocation.
    public init(copying headers: UnsafeBufferPointer<Place>) {
        var size = 0
        for (name, value) in headers {
            size +=
                Self.size(ofLength: name.count) + name.count + Self.size(ofLength: (value?.count ?? -1) + 1)
                + (value?.count ?? 0)
        }
        self.init(capacity: size) { writer in
            for (name, value) in headers { writer.append(name, value) }
        }
    }

    /// Makes a block of headers that are written one after the other, with one allocation.
    ///
    /// - Parameter capacity: at least the bytes that `write` writes; with less it stops the process.
    public init(capacity: Int, _ write: (inout RecordHeaderWriter) -> Void) {
        block = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var writer = RecordHeaderWriter(buffer)
            write(&writer)
            count = writer.count
        }
    }

    public var isEmpty: Bool { block.isEmpty }

    public var count: Int {
        var count = 0
        forEachPart { _, _, _ in count += 1 }
        return count
    }

    /// Bytes of the names and the values.
    public var byteCount: Int {
        var count = 0
        forEachPart { name, value, _ in count += name.count + (value?.count ?? 0) }
        return count
    }

    /// Names and values where they lie, good only during the call, and where in ``block`` each value begins.
    public func forEachPart(
        _ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?, _ start: Int) -> Void
    ) {
        block.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count, let part = Part(bytes, &position) {
                body(part.name, part.value, position - (part.value?.count ?? 0))
            }
        }
    }

    public mutating func append(_ header: RecordHeader) { append(header.name, header.value) }

    public mutating func append(_ name: String, _ text: String) { append(name, text.utf8) }

    @inline(__always)
    private mutating func append(_ name: String, _ value: (some Collection<UInt8>)?) {
        append(length: name.utf8.count)
        block.append(contentsOf: name.utf8)
        append(length: value.map { $0.count + 1 } ?? 0)
        if let value { block.append(contentsOf: value) }
    }

    public mutating func append(contentsOf headers: some Sequence<RecordHeader>) {
        for header in headers { append(header) }
    }

    /// The others, in their order.
    public func without(_ names: Set<String>) -> RecordHeaders {
        removing { name in names.contains { $0.utf8.count == name.count && name.elementsEqual($0.utf8) } }
    }

    /// Those whose name is not `isRemoved`, in their order: copied where they lie, and nothing where all stay.
    public func removing(_ isRemoved: (_ name: UnsafeRawBufferPointer) -> Bool) -> RecordHeaders {
        var others = RecordHeaders()
        var kept = 0
        block.withUnsafeBytes { bytes in
            var position = 0
            while position < bytes.count {
                let start = position
                guard let part = Part(bytes, &position) else { break }
                guard isRemoved(part.name) else { continue }
                if others.block.isEmpty { others.block.reserveCapacity(bytes.count) }
                others.block.append(contentsOf: bytes[kept..<start])
                kept = position
            }
            if kept > 0 { others.block.append(contentsOf: bytes[kept...]) }
        }
        return kept == 0 ? self : others
    }

    /// The last header of this name: where one repeats, that is the one that counts.
    public func last(named name: String) -> RecordHeader? {
        var found: RecordHeader?
        var name = name
        name.withUTF8 { wanted in
            forEachPart { candidate, value, _ in
                if candidate.elementsEqual(wanted) { found = RecordHeader(candidate, value) }
            }
        }
        return found
    }

    private mutating func append(length: Int) {
        Self.forEachByte(ofLength: length) { block.append($0) }
    }

    @inline(__always)
    static func size(ofLength length: Int) -> Int {
        var size = 0
        forEachByte(ofLength: length) { _ in size += 1 }
        return size
    }

    /// A length as a base-128 number: seven bits a byte, the low ones first, and 0x80 in all but the last.
    @inline(__always)
    static func forEachByte(ofLength length: Int, _ body: (UInt8) -> Void) {
        var rest = length
        while rest >= 0x80 {
            body(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        body(UInt8(rest))
    }
}

extension RecordHeaders: Sequence {
    public struct Iterator: IteratorProtocol {
        fileprivate let block: [UInt8]
        fileprivate var position = 0

        public mutating func next() -> RecordHeader? {
            block.withUnsafeBytes { bytes in
                guard position < bytes.count, let part = Part(bytes, &position) else { return nil }
                return RecordHeader(part.name, part.value)
            }
        }
    }

    public func makeIterator() -> Iterator { Iterator(block: block) }

    public var underestimatedCount: Int { 0 }
}

extension RecordHeaders: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: RecordHeader...) { self.init(elements) }
}

/// One header within a block.
private struct Part {
    var name: UnsafeRawBufferPointer
    var value: UnsafeRawBufferPointer?

    /// Nil where no whole header lies.
    init?(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) {
        guard let nameCount = Self.number(bytes, &position), nameCount <= bytes.count - position else { return nil }
        name = UnsafeRawBufferPointer(rebasing: bytes[position..<position + nameCount])
        position += nameCount
        guard let marker = Self.number(bytes, &position) else { return nil }
        guard marker > 0 else { return }
        guard marker - 1 <= bytes.count - position else { return nil }
        value = UnsafeRawBufferPointer(rebasing: bytes[position..<position + marker - 1])
        position += marker - 1
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
        var number = 0
        var shift = 0
        while position < bytes.count, shift < 35 {
            let byte = bytes[position]
            position += 1
            number |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }
}
