/// Sizes as people write them: `512B`, `256KiB`, `1MiB`, `2GB`, or a plain number of bytes.
package enum ByteSizeText {
    package static let accepted = "a size such as 512B, 256KiB, 1MiB or 2GB"

    private static let units: [(name: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000), ("B", 1), ("", 1),
    ]

    /// Parses `text` to bytes, or throws ``TextError`` with what is wrong and what is accepted.
    package static func parse(_ text: String) throws(TextError) -> Int {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard !digits.isEmpty, let unit = units.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw TextError("is not a size; give \(accepted)")
        }
        guard let count = Int(digits) else { throw TextError("is too large a size") }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
        guard !overflow else { throw TextError("is too large a size") }
        return bytes
    }

    /// In the largest binary unit that divides it.
    package static func format(_ bytes: Int) -> String {
        for unit in units where unit.name.hasSuffix("iB") && bytes != 0 && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)B"
    }
}
