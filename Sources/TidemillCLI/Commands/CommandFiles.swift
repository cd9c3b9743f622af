import Foundation

/// Bytes from a file or pipe, a piece at a time.
protocol ByteSource: AnyObject {
    /// The next bytes; empty at the end.
    func read() throws -> [UInt8]
}

/// How commands reach files and stdin.
struct CommandFiles: Sendable {
    /// Opens a file; `-` is stdin.
    var open: @Sendable (String) throws -> any ByteSource

    static let system = CommandFiles { path in
        if path == "-" { return HandleSource(.standardInput) }
        do {
            return HandleSource(try FileHandle(forReadingFrom: URL(fileURLWithPath: path)))
        } catch {
            throw FileError(path: path, cause: error)
        }
    }

    /// A payload as it is given on the command line: text, `@FILE`, or `-` for stdin.
    func payload(_ text: String, limit: Int) throws -> [UInt8] {
        if text == "-" { return try readAll("-", limit: limit) }
        return text.hasPrefix("@") ? try readAll(String(text.dropFirst()), limit: limit) : Array(text.utf8)
    }

    /// All of a file, or an error once it has more than `limit` bytes.
    func readAll(_ path: String, limit: Int) throws -> [UInt8] {
        let source = try open(path)
        var bytes: [UInt8] = []
        while true {
            let piece = try source.read()
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= limit else {
                throw FileTooLarge(path: path, limit: limit)
            }
        }
    }
}

/// A file that cannot be opened.
struct FileError: Error, CustomStringConvertible {
    var path: String
    var cause: any Error

    var description: String { "\(path): cannot be read: \((cause as NSError).localizedDescription)" }
}

struct FileTooLarge: Error, Equatable, CustomStringConvertible {
    var path: String
    var limit: Int

    var description: String {
        "\(path == "-" ? "stdin" : path): has more than \(limit) bytes, the most that an event takes: put the data where "
            + "the worker can fetch it and publish its address"
    }
}

private final class HandleSource: ByteSource {
    private let handle: FileHandle

    init(_ handle: FileHandle) { self.handle = handle }

    func read() throws -> [UInt8] { [UInt8](try handle.read(upToCount: 64 << 10) ?? Data()) }
}

/// Splits a source into lines without their line breaks (`\n` or `\r\n`). A line longer than the limit is passed over
/// and reported, so that memory stays bounded.
struct LineReader {
    enum Line: Equatable {
        case text([UInt8])
        case tooLong
    }

    private let source: any ByteSource
    private let limit: Int
    private var buffer: [UInt8] = []
    private var position = 0
    private var atEnd = false

    init(_ source: any ByteSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    /// The next line; nil at the end. A last line without a line break counts.
    mutating func next() throws -> Line? {
        var line: [UInt8] = []
        var isTooLong = false
        var isEmpty = true
        while true {
            if position == buffer.count {
                buffer = atEnd ? [] : try source.read()
                position = 0
                if buffer.isEmpty {
                    atEnd = true
                    return isEmpty ? nil : Self.line(line, isTooLong)
                }
            }
            isEmpty = false
            let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n"))
            if !isTooLong { line += buffer[position..<(end ?? buffer.count)] }
            if line.count > limit {
                isTooLong = true
                line = []
            }
            position = end.map { $0 + 1 } ?? buffer.count
            if end != nil { return Self.line(line, isTooLong) }
        }
    }

    private static func line(_ bytes: [UInt8], _ isTooLong: Bool) -> Line {
        if isTooLong { return .tooLong }
        return .text(bytes.last == UInt8(ascii: "\r") ? Array(bytes.dropLast()) : bytes)
    }
}
