/// Cuts a stream of bytes into lines within a budget of bytes. What is over the budget, or over the length of a line, is
/// counted and dropped. Empty lines are left out; bytes that are not UTF-8 become U+FFFD.
struct OutputLines {
    static let lineLimit = 4096

    /// Bytes that no line shows.
    private(set) var omitted = 0
    private var budget: Int
    private var partial: [UInt8] = []

    init(budget: Int) { self.budget = budget }

    /// The lines that these bytes complete.
    mutating func append(_ bytes: some Collection<UInt8>) -> [String] {
        var lines: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard budget > 0 else {
                omitted += rest.count
                return lines
            }
            guard let newline = rest.firstIndex(of: UInt8(ascii: "\n")) else {
                keep(rest)
                break
            }
            keep(rest[..<newline])
            lines += takeLine()
            rest = rest[rest.index(after: newline)...]
        }
        return lines
    }

    /// The last line, when the stream ends without a newline.
    mutating func finish() -> [String] { takeLine() }

    private mutating func keep(_ bytes: some Collection<UInt8>) {
        let kept = bytes.prefix(max(0, min(budget, Self.lineLimit - partial.count)))
        partial += kept
        budget -= kept.count
        omitted += bytes.count - kept.count
    }

    private mutating func takeLine() -> [String] {
        defer { partial.removeAll(keepingCapacity: true) }
        if partial.last == UInt8(ascii: "\r") { partial.removeLast() }
        return partial.isEmpty ? [] : [String(decoding: partial, as: UTF8.self)]
    }
}

/// The last bytes of a stream.
struct OutputTail {
    private let limit: Int
    private var bytes: [UInt8] = []
    private var isCut = false

    init(limit: Int) { self.limit = limit }

    mutating func append(_ more: some Collection<UInt8>) {
        bytes += more.suffix(limit)
        isCut = isCut || more.count > limit
        guard bytes.count > 2 * limit else { return }
        bytes.removeFirst(bytes.count - limit)
        isCut = true
    }

    /// At most `limit` bytes of UTF-8 without white space at the ends; starts with `…` when something before it was dropped.
    var text: String {
        let decoded = String(decoding: bytes, as: UTF8.self)
        var scalars = decoded.unicodeScalars[...]
        while scalars.last?.properties.isWhitespace == true { scalars.removeLast() }
        while scalars.first?.properties.isWhitespace == true { scalars.removeFirst() }
        guard isCut || scalars.reduce(0, { $0 + UTF8.width($1) }) > limit else { return String(scalars) }
        let ellipsis: Unicode.Scalar = "…"
        var room = limit - UTF8.width(ellipsis)
        var kept: [Unicode.Scalar] = []
        for scalar in scalars.reversed() {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            kept.append(scalar)
        }
        var result = String.UnicodeScalarView()
        result.append(ellipsis)
        result.append(contentsOf: kept.reversed())
        return String(result)
    }
}
