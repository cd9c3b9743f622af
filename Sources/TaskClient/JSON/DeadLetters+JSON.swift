import Foundation
internal import TaskModel

extension LetterState: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("is", word)
        try fields.put("by", mark?.by)
        try fields.put("why", mark?.reason)
        try fields.put("at", mark?.at)
        if case .superseded(let replay) = self { try fields.put("replay", replay) }
    }
}

extension DeadLetterSummary: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try put(into: &fields)
    }

    func put(into fields: inout JSONFields) throws {
        try fields.put("fingerprint", key.fingerprint)
        try fields.put("replay", key.replay)
        try fields.put("at", at)
        try fields.put("task", task)
        try fields.put("queue", queue)
        try fields.put("key", partitionKey)
        try fields.put("reason", reason.rawValue)
        try fields.put("attempts", attempts)
        try fields.put(lastFailure)
        try fields.put("payload_bytes", payloadBytes)
        try fields.put("unreadable", isUnreadable ? true : nil)
        try fields.put("state", state)
        try fields.put(place)
    }
}

extension DeadLetterDetail: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try summary.put(into: &fields)
        let event = letter.event
        try fields.put("source", event.source)
        try fields.put("id", event.id)
        try fields.put("content_type", event.contentType)
        try fields.put("published_at", event.publishedAt)
        try fields.put("headers", event.extraHeaders.isEmpty ? nil : event.extraHeaders.map(Header.init))
        try fields.put("last_place", letter.place)
        try fields.put("raw", letter.raw)
        try fields.put("failures", event.history.failures.map(Failure.init))
        try fields.put("failures_omitted", event.history.omitted == 0 ? nil : event.history.omitted)
        if let text = String(validating: event.payload, as: UTF8.self) {
            try fields.put("payload", text)
        } else {
            try fields.put("payload_base64", Data(event.payload).base64EncodedString())
        }
    }

    private struct Header: Encodable {
        var name: String
        var value: String?
        /// For a value that is not UTF-8.
        var base64: String?

        init(_ header: RecordHeader) {
            name = header.name
            value = header.text
            base64 = header.text == nil ? header.value.map { Data($0).base64EncodedString() } : nil
        }
    }

    private struct Failure: Encodable {
        var failure: AttemptFailure

        init(_ failure: AttemptFailure) { self.failure = failure }

        func encode(to encoder: any Encoder) throws {
            var fields = JSONFields(encoder)
            try fields.put("attempt", failure.attempt)
            try fields.put("turn", failure.turn)
            try fields.put("replay", failure.replay)
            try fields.put("at", failure.at)
            try fields.put("worker", failure.worker)
            try fields.put(failure)
        }
    }
}

extension DeadLetterGroup: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("task", task)
        try fields.put("reason", reason.rawValue)
        try fields.put("error_code", code)
        try fields.put("count", count)
        try fields.put("oldest", oldest)
        try fields.put("newest", newest)
        try fields.put("example", example.fingerprint)
    }
}

extension DeadLetterReport: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("matching", matching)
        try fields.put("truncated", isTruncated)
        try fields.put("letters", letters)
        try fields.put("groups", groups)
    }
}

extension DeadLetterActionReport: Encodable {
    public func encode(to encoder: any Encoder) throws {
        struct Refusal: Encodable {
            var fingerprint: String
            var replay: UInt32
            var error: ClientError
        }
        var fields = JSONFields(encoder)
        try fields.put("total", total)
        try fields.put("done", done)
        try fields.put("already_handled", alreadyHandled)
        try fields.put("refused", refused)
        try fields.put("truncated", isTruncated)
        try fields.put(
            "refusals",
            refusals.sorted { $0.key.description < $1.key.description }.map {
                Refusal(fingerprint: $0.key.fingerprint.hex, replay: $0.key.replay, error: $0.value)
            })
    }
}
