internal import TaskModel

/// The headers of a request for an event: CloudEvents' HTTP binding, binary mode, and what every HTTP service knows. Pure.
enum HTTPHeaders {
    /// From weak to strong: configured headers, the event's. Names as they are sent.
    ///
    /// Fails the event when its content type is not one that a header can carry.
    static func headers(for context: TaskContext, configured: [String: String]) throws(TaskFailure) -> [String: String]
    {
        let event = context.event
        let contentType = event.contentType ?? "application/octet-stream"
        guard isValue(contentType) else {
            throw .fail(code: "http-request", "the content type of the event cannot be sent in a header")
        }
        var headers = ["User-Agent": "tidemill"].merging(configured) { _, given in given }
        if configured.keys.contains(where: { $0.lowercased() == "user-agent" && $0 != "User-Agent" }) {
            headers["User-Agent"] = nil
        }
        for header in event.extraHeaders {
            // Extension attributes of others: an event cannot set any other header.
            guard header.name.hasPrefix("ce_"), let value = header.text else { continue }
            let name = header.name.dropFirst(3)
            guard isAttributeName(name) else { continue }
            headers["ce-\(name)"] = percentEncoded(value)
        }
        for (name, value) in attributes(of: context) { headers["ce-\(name)"] = value.map(percentEncoded) }
        headers["Content-Type"] = contentType
        headers["Idempotency-Key"] = context.idempotencyKey
        if let traceParent = event.traceParent, isValue(traceParent) { headers["traceparent"] = traceParent }
        return headers
    }

    private static func attributes(of context: TaskContext) -> [(name: String, value: String?)] {
        let event = context.event
        return [
            ("specversion", "1.0"),
            ("id", event.id),
            ("source", event.source),
            ("type", TaskEvent.type),
            ("subject", event.task),
            ("time", event.publishedAt?.rfc3339),
            ("fingerprint", event.fingerprint.hex),
            ("replay", String(event.replay)),
            ("turn", String(event.turn)),
            ("attempt", String(event.attempt)),
            ("dueat", event.dueAt?.rfc3339),
            ("expiresat", event.expiresAt?.rfc3339),
            ("partitionkey", event.partitionKey),
            ("traceparent", event.traceParent),
            ("scheduleid", event.scheduleID),
            ("nominaltime", event.nominalTime?.rfc3339),
            ("standsfor", event.standsFor == 1 ? nil : String(event.standsFor)),
            ("queue", context.queue),
            ("fencingtoken", context.fencingToken.description),
            ("deadline", context.deadline.rfc3339),
        ]
    }

    /// As the binding demands: what is not printable ASCII, the space, `"` and `%` become `%XX` of their UTF-8.
    static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var result = String.UnicodeScalarView()
        for byte in text.utf8 {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "%") {
                result.append(Unicode.Scalar(byte))
            } else {
                result += ["%", digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(result)
    }

    /// Set by the handler or by the connection; `lower` is in lower case.
    static func isReserved(_ lower: String) -> Bool {
        lower.hasPrefix("ce-") || reserved.contains(lower)
    }

    private static let reserved: Set<String> = [
        "content-type", "idempotency-key", "traceparent", "host", "content-length", "transfer-encoding", "connection",
        "upgrade", "te", "trailer", "expect",
    ]

    /// A token of RFC 9110.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { isLetterOrDigit($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// Printable ASCII, spaces and tabs: nothing that could end the header.
    static func isValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 }
    }

    private static func isAttributeName(_ name: Substring) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(isLetterOrDigit)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}
