internal import TaskModel

/// What a server answered.
struct HTTPReply: Hashable, Sendable {
    var status: Int
    var retryAfter: String?
    var location: String?
    /// The start of the body.
    var body: [UInt8]
}

extension HTTPReply {
    /// | status | answer |
    /// |---|---|
    /// | 2xx | done |
    /// | 429, 503 with a usable `Retry-After` | retry after that time |
    /// | 408, 425, 429, 5xx | retry |
    /// | 3xx | fail: redirects are not followed, since they would carry payload and credentials elsewhere |
    /// | any other | fail |
    ///
    /// Failures carry the code `http-<status>` and a message of at most 1 KiB with the start of the body.
    func failure(of target: String, now: Timestamp) -> TaskFailure? {
        let code = "http-\(status)"
        switch status {
        case 200...299:
            return nil
        case 300...399:
            return .fail(code: code, message("\(target) redirects to \(shownLocation), which is not followed"))
        case 408, 425, 429, 500...599:
            if status == 429 || status == 503, let retryAfter,
                let delay = RetryAfter.milliseconds(retryAfter, now: now)
            {
                return .retryAfter(milliseconds: delay, code: code, message("\(target) answered \(status)"))
            }
            return .retry(code: code, message("\(target) answered \(status)"))
        default:
            return .fail(code: code, message("\(target) answered \(status)"))
        }
    }

    /// Without its query, which may hold a secret.
    private var shownLocation: String {
        guard let location else { return "an unnamed place" }
        return String(location.prefix { $0 != "?" && $0 != "#" })
    }

    private func message(_ start: String) -> String {
        let limit = FailureHistory.maximumMessageBytes
        let start = Self.prefix(start, bytes: limit)
        let text = String(decoding: body.prefix(limit), as: UTF8.self).trimmingSpaces()
        return text.isEmpty ? start : Self.prefix("\(start): \(text)", bytes: limit)
    }

    private static func prefix(_ text: String, bytes limit: Int) -> String {
        var room = limit
        var kept = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}
