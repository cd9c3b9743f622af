/// The two records that each fire writes, without an encoder's price: the same bytes as ``CanonicalJSON/encode(_:)``.
extension ScheduleState {
    var json: [UInt8] {
        var json = FlatJSON()
        if let catchUp {
            var inner = FlatJSON()
            inner.add("last", catchUp.last.milliseconds)
            inner.add("since", catchUp.since.milliseconds)
            json.add("catch_up", json: inner.finished())
        }
        json.add("cursor", cursor.milliseconds)
        if let definedAt { json.add("defined_at", definedAt.milliseconds) }
        json.add("fires", fires)
        if let lastFired { json.add("last_fired", lastFired.milliseconds) }
        json.add("misfires", misfires)
        json.add("version", version)
        return json.finished()
    }
}

extension JournalEntry {
    var json: [UInt8] {
        var json = FlatJSON()
        json.add("at", at.milliseconds)
        json.add("author", text: author)
        if let count { json.add("count", count) }
        if let fingerprint { json.add("fingerprint", text: fingerprint.hex) }
        json.add("kind", text: kind.rawValue)
        if let nominal { json.add("nominal", nominal.milliseconds) }
        json.add("reason", text: reason)
        if let span {
            var inner = FlatJSON()
            inner.add("after", span.after.milliseconds)
            inner.add("through", span.through.milliseconds)
            json.add("span", json: inner.finished())
        }
        json.add("subject", text: subject)
        json.add("version", version)
        return json.finished()
    }
}

/// An object of JSON, member by member: the caller gives them in the order of their names.
private struct FlatJSON {
    private var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(192) }

    mutating func finished() -> [UInt8] {
        if bytes.isEmpty { bytes.append(UInt8(ascii: "{")) }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    mutating func add(_ name: StaticString, _ number: some FixedWidthInteger) {
        begin(name)
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = UInt64(number.magnitude)
            var start = digits.count
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: digits[start...])
        }
    }

    mutating func add(_ name: StaticString, text: String) {
        begin(name)
        CanonicalJSON.write(text, to: &bytes)
    }

    mutating func add(_ name: StaticString, json: [UInt8]) {
        begin(name)
        bytes += json
    }

    private mutating func begin(_ name: StaticString) {
        bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes += $0 }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }
}
