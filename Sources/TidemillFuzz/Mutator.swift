import TaskModel

/// Turns valid bytes into nearly valid ones: a function of the seed.
struct Mutator {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// What breaks readers: numbers past every range, halves of characters, ends of text, deep nesting.
    private static let tokens: [[UInt8]] =
        [
            "99999999999999999999", "-9223372036854775808", "9223372036854775807", "18446744073709551615", "1e999",
            "NaN",
            "-0", "0x7f", "null", "\"\"", "[]", "{}", "\\ud800", "\\u0000", "${", "*", "?", "L", "#", "H(", "/0", "- ",
            ": ",
            "&a ", "*a", "!!str ", "\n", "\t", "\u{feff}", "e\u{301}", "😀", "\u{0}",
        ].map { Array($0.utf8) } + [
            [0xff], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xff, 0xff, 0xff, 0xff],
            Array(repeating: UInt8(ascii: "["), count: 300), Array(repeating: 0, count: 64),
        ]

    mutating func choice(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    /// One to four edits, most often one, of one of the seeds, of whole headers too where the bytes are a record's.
    mutating func input(from seeds: [[UInt8]], isRecord: Bool) -> [UInt8] {
        var bytes = seeds[choice(seeds.count)]
        if isRecord, choice(2) == 0 { bytes = withOtherHeaders(bytes, seeds) }
        // Most inputs are nearly right: those reach the deepest.
        for _ in 0...(choice(2) * choice(4)) { edit(&bytes, seeds) }
        return bytes
    }

    private mutating func edit(_ bytes: inout [UInt8], _ seeds: [[UInt8]]) {
        let place = choice(bytes.count + 1)
        let end = min(bytes.count, place + 1 + choice(8))
        switch choice(9) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(choice(8))
        case 1 where place < bytes.count: bytes[place] = UInt8(choice(256))
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.removeSubrange(place...)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 5:
            // The head of one, the tail of another.
            let other = seeds[choice(seeds.count)]
            bytes.replaceSubrange(place..., with: other.dropFirst(choice(other.count + 1)))
        case 6: bytes.replaceSubrange(place..<end, with: Self.tokens[choice(Self.tokens.count)])
        case 7: replaceDigits(&bytes, from: place)
        default: bytes.insert(contentsOf: Self.tokens[choice(Self.tokens.count)], at: place)
        }
    }

    /// The next run of digits becomes another number.
    private mutating func replaceDigits(_ bytes: inout [UInt8], from place: Int) {
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let start = bytes[place...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: choice(2) == 0 ? Array("\(choice(100))".utf8) : Self.tokens[choice(5)])
    }

    /// Repeats, drops, swaps or moves a header, or takes one of another record.
    private mutating func withOtherHeaders(_ bytes: [UInt8], _ seeds: [[UInt8]]) -> [UInt8] {
        var frame = RecordFrame(bytes)
        var headers = Array(frame.body.headers)
        let others = Array(RecordFrame(seeds[choice(seeds.count)]).body.headers)
        guard !headers.isEmpty, !others.isEmpty else { return bytes }
        let index = choice(headers.count)
        let other = others[choice(others.count)]
        switch choice(6) {
        case 0: headers.append(headers[index])
        case 1: headers.remove(at: index)
        case 2: headers[index].value = other.value
        case 3: headers[index].value = nil
        case 4: headers.insert(other, at: index)
        default: headers[index].name = other.name
        }
        frame.body.headers = .init(headers)
        return frame.bytes
    }
}
