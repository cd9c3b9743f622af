/// Reads the lines of response heads until the final one is complete. Pure.
struct HTTPHeadReader {
    private enum State {
        case reading(HTTPReply)
        case done
    }

    private var state = State.reading(HTTPReply(status: 0, body: []))

    /// The head, at the empty line that ends it. Interim answers (1xx) are passed over, trailers too.
    mutating func read(line bytes: some Collection<UInt8>) -> HTTPReply? {
        guard case .reading(var head) = state else { return nil }
        var line = String(decoding: bytes, as: UTF8.self)[...]
        while line.last?.isNewline == true { line.removeLast() }
        guard !line.isEmpty else {
            guard head.status >= 200 else { return nil }
            state = .done
            return head
        }
        if line.hasPrefix("HTTP/") {
            let words = line.split(separator: " ", maxSplits: 2)
            head = HTTPReply(status: words.count > 1 ? Int(words[1]) ?? 0 : 0, body: [])
        } else if let colon = line.firstIndex(of: ":") {
            let value = String(line[line.index(after: colon)...]).trimmingSpaces()
            switch line[..<colon].lowercased() {
            case "retry-after": head.retryAfter = value
            case "location": head.location = value
            default: break
            }
        }
        state = .reading(head)
        return nil
    }
}
