/// Reads requests of HTTP/1.0 and 1.1 from bytes that come in pieces of any size. A value without I/O.
///
/// Strict where leniency lets two parties read one request differently: line ends are CRLF, there is no space before a
/// colon, no folding, one `Content-Length`, no `Transfer-Encoding`. A failure ends the connection.
struct HTTPRequestParser {
    enum Result: Equatable {
        case incomplete
        case request(HTTPRequest)
        case failure(HTTPStatus, String)
    }

    let limits: HTTPLimits
    private var buffer: [UInt8] = []
    /// How far the end of the head has been looked for.
    private var searched = 0

    init(limits: HTTPLimits) {
        self.limits = limits
    }

    /// Whether a part of a request lies here.
    var isEmpty: Bool { buffer.isEmpty }

    mutating func append(_ bytes: some Sequence<UInt8>) {
        buffer.append(contentsOf: bytes)
    }

    /// The next request. Bytes after it stay for the call after this one.
    mutating func next() -> Result {
        dropEmptyLines()
        guard let headEnd = findHeadEnd() else {
            return buffer.count > limits.headBytes ? Self.headTooLarge : .incomplete
        }
        guard headEnd <= limits.headBytes else { return Self.headTooLarge }
        do {
            var request = try head(buffer[..<headEnd])
            let length = try bodyLength(request)
            let start = headEnd + 4
            guard buffer.count >= start + length else { return .incomplete }
            request.body = Array(buffer[start..<start + length])
            buffer.removeFirst(start + length)
            searched = 0
            return .request(request)
        } catch {
            return .failure(error.status, error.message)
        }
    }

    private struct Refusal: Error {
        var status: HTTPStatus
        var message: String

        init(_ status: HTTPStatus, _ message: String) {
            self.status = status
            self.message = message
        }
    }

    private static let headTooLarge = Result.failure(.headTooLarge, "the head of the request is too large")

    /// Some clients send an empty line after a body; RFC 9112 lets it pass before a request.
    private mutating func dropEmptyLines() {
        while buffer.starts(with: [0x0D, 0x0A]) {
            buffer.removeFirst(2)
            searched = 0
        }
    }

    /// The index of the CRLF CRLF that ends the head.
    private mutating func findHeadEnd() -> Int? {
        var index = max(0, searched - 3)
        while index + 3 < buffer.count {
            if buffer[index] == 0x0D, buffer[index + 1] == 0x0A, buffer[index + 2] == 0x0D, buffer[index + 3] == 0x0A {
                return index
            }
            index += 1
        }
        searched = buffer.count
        return nil
    }

    // MARK: The head

    private func head(_ bytes: ArraySlice<UInt8>) throws(Refusal) -> HTTPRequest {
        let lines = try split(bytes)
        let (method, target, minorVersion) = try requestLine(lines[0])
        guard lines.count - 1 <= limits.headers else {
            throw Refusal(.headTooLarge, "the request has more than \(limits.headers) headers")
        }
        var headers: [HTTPHeader] = []
        for line in lines.dropFirst() { headers.append(try header(line)) }
        let hosts = headers.count { $0.name == "host" }
        guard hosts == 1 || (hosts == 0 && minorVersion == 0) else {
            throw Refusal(.badRequest, "a request needs one Host header")
        }
        let connection = headers.filter { $0.name == "connection" }.map { $0.value.lowercased() }.joined(separator: ",")
        let closes = connection.split(separator: ",").contains { $0.trimmingSpaces() == "close" }
        let (path, query) = try split(target: target)
        return HTTPRequest(
            method: method, path: path, query: query, headers: headers, body: [],
            keepsAlive: minorVersion == 1 && !closes)
    }

    private func split(_ bytes: ArraySlice<UInt8>) throws(Refusal) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        var index = start
        while index < bytes.endIndex {
            switch bytes[index] {
            case 0x0D where index + 1 < bytes.endIndex && bytes[index + 1] == 0x0A:
                lines.append(bytes[start..<index])
                index += 2
                start = index
            case 0x0D, 0x0A, 0x00: throw Refusal(.badRequest, "the head of the request has a stray control character")
            default: index += 1
            }
        }
        lines.append(bytes[start...])
        return lines
    }

    private func requestLine(
        _ line: ArraySlice<UInt8>
    ) throws(Refusal) -> (method: String, target: ArraySlice<UInt8>, minorVersion: Int) {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(Self.isToken), !parts[1].isEmpty,
            parts[1].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw Refusal(.badRequest, "the request line is malformed") }
        let minorVersion: Int
        switch String(decoding: parts[2], as: UTF8.self) {
        case "HTTP/1.1": minorVersion = 1
        case "HTTP/1.0": minorVersion = 0
        case let version where version.hasPrefix("HTTP/") && version.utf8.count == 8:
            throw Refusal(.versionNotSupported, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        default: throw Refusal(.badRequest, "the request line is malformed")
        }
        return (String(decoding: parts[0], as: UTF8.self), parts[1], minorVersion)
    }

    private func header(_ line: ArraySlice<UInt8>) throws(Refusal) -> HTTPHeader {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(Self.isToken)
        else { throw Refusal(.badRequest, "a header is malformed") }
        let value = line[(colon + 1)...]
        guard value.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
            throw Refusal(.badRequest, "a header has a control character")
        }
        return HTTPHeader(
            String(decoding: line[..<colon], as: UTF8.self).lowercased(),
            String(String(decoding: value, as: UTF8.self).trimmingSpaces()))
    }

    /// Origin form, or absolute form, of which the path is what counts here.
    private func split(target: ArraySlice<UInt8>) throws(Refusal) -> (path: String, query: String?) {
        var text = String(decoding: target, as: UTF8.self)[...]
        if text.first != "/" {
            guard text.lowercased().hasPrefix("http://") else {
                throw Refusal(.badRequest, "the target of the request is neither a path nor an http URL")
            }
            text = text.dropFirst(7).drop { $0 != "/" && $0 != "?" }
            if text.first != "/" { text = "/" + text }
        }
        guard let mark = text.firstIndex(of: "?") else { return (String(text), nil) }
        return (String(text[..<mark]), String(text[text.index(after: mark)...]))
    }

    // MARK: The body

    private func bodyLength(_ request: HTTPRequest) throws(Refusal) -> Int {
        if request.header("transfer-encoding") != nil {
            throw Refusal(.notImplemented, "send the body with a Content-Length: no transfer encoding is understood")
        }
        if request.header("expect") != nil { throw Refusal(.expectationFailed, "no expectation can be met") }
        let lengths = request.headers.filter { $0.name == "content-length" }.map(\.value)
        guard let text = lengths.first else { return 0 }
        guard lengths.count == 1, !text.isEmpty, text.utf8.count <= 18,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(text)
        else { throw Refusal(.badRequest, "Content-Length must be one number") }
        guard length <= limits.bodyBytes else {
            throw Refusal(.contentTooLarge, "the body is larger than \(limits.bodyBytes) bytes")
        }
        return length
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension StringProtocol {
    /// Without spaces and tabs around it.
    func trimmingSpaces() -> SubSequence {
        var result = self[...]
        while result.first == " " || result.first == "\t" { result = result.dropFirst() }
        while result.last == " " || result.last == "\t" { result = result.dropLast() }
        return result
    }
}
