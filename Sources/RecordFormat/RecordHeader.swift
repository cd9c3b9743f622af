/// One header of a log record. Names may repeat and order is kept; a value is bytes, or absent (Kafka tells the two apart).
public struct RecordHeader: Hashable, Sendable {
    public var name: String
    public var value: [UInt8]?

    public init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    public init(_ name: String, _ text: String) {
        self.name = name
        self.value = Array(text.utf8)
    }

    /// Of bytes that lie elsewhere. A name that is not UTF-8 is repaired.
    public init(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        self.name = String(decoding: name, as: UTF8.self)
        self.value = value.map { Array($0) }
    }

    /// The value as UTF-8 text, or nil when it is absent or not UTF-8.
    public var text: String? {
        value.flatMap { String(validating: $0, as: UTF8.self) }
    }
}
