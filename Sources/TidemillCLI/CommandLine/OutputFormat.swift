import Foundation

/// How a command shows its result: for people, or for programs.
enum OutputFormat: String, Sendable, CaseIterable {
    case table
    case json

    /// The option that every command with a result takes: `--output table|json`.
    static let option = OptionSpec.value(
        "output", short: "o", .choice(of: OutputFormat.self), "How to show the result", default: "table")

    /// The format that a command line asks for.
    init(_ arguments: ParsedArguments) throws {
        self = try arguments.choice("output", as: OutputFormat.self) ?? .table
    }

    /// JSON as programs want it from us: stable key order, readable, slashes as they are, a line break at the end.
    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    /// One JSON object on one line, for results that come one after another.
    static func jsonLine(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}
