import Foundation
import Settings
import TaskClient
import TaskModel

/// Why a line of a batch file is no request.
struct BatchLineError: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Reads one line of a batch file.
struct BatchLine {
    static let members = [
        "task", "payload", "key", "idempotency_key", "fingerprint", "id", "source", "delay", "at", "expires", "queue",
        "headers", "content_type",
    ]

    /// For lines that name no task, or no queue.
    var defaultTask: String?
    var defaultQueue: String?
    var now: Timestamp

    func request(_ line: [UInt8]) throws -> PublishRequest {
        // Foundation's reader traps on member names that are not UTF-8, so ours has the first look.
        guard CanonicalJSON.canonical(line) != nil,
            let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
        else {
            throw BatchLineError("is not a JSON object")
        }
        for name in object.keys.sorted() where !Self.members.contains(name) {
            let hint = Suggestion.closest(to: name, among: Self.members).map { "did you mean `\($0)`?" }
            throw BatchLineError(
                "unknown member `\(name)`; \(hint ?? "known are \(Self.members.joined(separator: ", "))")")
        }
        func text(_ name: String) throws -> String? {
            switch object[name] {
            case nil, is NSNull: return nil
            case let text as String: return text
            default: throw BatchLineError("`\(name)` must be a string")
            }
        }
        func converted<Value>(_ name: String, _ parse: (String) throws(TextError) -> Value) throws -> Value? {
            guard let text = try text(name) else { return nil }
            do throws(TextError) { return try parse(text) } catch {
                throw BatchLineError("`\(name)`: \(text) \(error)")
            }
        }
        guard let task = try text("task") ?? defaultTask, !task.isEmpty else {
            throw BatchLineError("`task` is missing")
        }
        var request = PublishRequest(task: task)
        // The payload's own bytes, not what a JSON library makes of them: numbers keep all their digits.
        if let payload = JSONMembers.value(of: "payload", in: line) {
            request.payload = payload
            request.contentType = try text("content_type") ?? "application/json"
        }
        request.queue = try text("queue") ?? defaultQueue ?? request.queue
        request.key = try text("key")
        if let id = try text("id") { request.id = id }
        request.source = try text("source")
        request.expiresAt = try converted("expires", TimeText.parse)?.resolved(now: now)
        request.headers = try headers(object["headers"])
        switch (try text("idempotency_key"), try text("fingerprint")) {
        case (_?, _?): throw BatchLineError("`idempotency_key` and `fingerprint` exclude each other")
        case (let key?, nil): request.identity = .idempotencyKey(key)
        case (nil, let hex?):
            guard let fingerprint = Fingerprint(hex: hex) else {
                throw BatchLineError("`fingerprint` must be 32 hex digits")
            }
            request.identity = .fingerprint(fingerprint)
        case (nil, nil): break
        }
        switch (
            try converted("delay", DurationText.parseMilliseconds),
            try converted("at", TimeText.parse)?.resolved(now: now)
        ) {
        case (_?, _?): throw BatchLineError("`delay` and `at` exclude each other")
        case (let delay?, nil): request.start = .after(milliseconds: delay)
        case (nil, let time?): request.start = .at(time)
        case (nil, nil): break
        }
        return request
    }

    private func headers(_ member: Any?) throws -> [RecordHeader] {
        switch member {
        case nil, is NSNull: return []
        case let headers as [String: String]:
            return headers.sorted { $0.key < $1.key }.map { RecordHeader($0.key, $0.value) }
        default: throw BatchLineError("`headers` must be an object of strings")
        }
    }
}

/// Finds the bytes of a member's value in the text of a JSON object that is known to be valid.
enum JSONMembers {
    static func value(of name: String, in object: [UInt8]) -> [UInt8]? {
        var scanner = Scanner(bytes: object)
        var found: [UInt8]?
        scanner.skip(UInt8(ascii: "{"))
        while let key = scanner.string() {
            scanner.skip(UInt8(ascii: ":"))
            let value = scanner.value()
            if key == name { found = Array(value) }
            guard scanner.skip(UInt8(ascii: ",")) else { break }
        }
        return found
    }

    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        mutating func skipSpace() {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        }

        @discardableResult
        mutating func skip(_ byte: UInt8) -> Bool {
            skipSpace()
            guard position < bytes.count, bytes[position] == byte else { return false }
            position += 1
            return true
        }

        /// A member's name, unescaped.
        mutating func string() -> String? {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return nil }
            let text = value()
            return try? JSONDecoder().decode(String.self, from: Data(text))
        }

        /// The value that begins here, whatever it is.
        mutating func value() -> ArraySlice<UInt8> {
            skipSpace()
            let start = position
            var depth = 0
            var inString = false
            while position < bytes.count {
                let byte = bytes[position]
                if inString {
                    if byte == UInt8(ascii: "\\") { position += 1 }
                    if byte == UInt8(ascii: "\"") {
                        inString = false
                        if depth == 0 { return slice(from: start, to: position + 1) }
                    }
                } else {
                    switch byte {
                    case UInt8(ascii: "\""): inString = true
                    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                    case UInt8(ascii: "}"), UInt8(ascii: "]"):
                        if depth == 0 { return slice(from: start, to: position) }
                        depth -= 1
                        if depth == 0 { return slice(from: start, to: position + 1) }
                    case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                        if depth == 0 { return slice(from: start, to: position) }
                    default: break
                    }
                }
                position += 1
            }
            return slice(from: start, to: bytes.count)
        }

        private mutating func slice(from start: Int, to end: Int) -> ArraySlice<UInt8> {
            position = end
            return bytes[start..<end]
        }
    }
}
