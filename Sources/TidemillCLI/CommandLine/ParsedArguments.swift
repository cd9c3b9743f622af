import Settings
import TaskModel

/// What a command line said, checked against its ``CommandSpec``: the getters convert values that the parser accepted.
///
/// Asking for a name that the command does not declare, or as another type than declared, is a mistake in the program
/// and stops it.
struct ParsedArguments: Sendable {
    /// An option with an optional value.
    enum Presence<Value> {
        case absent
        /// `--unique`
        case bare
        /// `--unique=1h`
        case value(Value)
    }

    /// The words that selected the command, the program's name left out: `["schedule", "add"]`.
    let path: [String]
    let command: CommandSpec
    /// By option name, in order; nil for an occurrence without a value.
    private let options: [String: [String?]]
    /// By argument name.
    private let arguments: [String: [String]]
    /// Options that the command takes, inherited ones included.
    private let declared: [String: OptionSpec]

    init(
        path: [String], command: CommandSpec, declared: [OptionSpec], options: [String: [String?]],
        arguments: [String: [String]]
    ) {
        self.path = path
        self.command = command
        self.options = options
        self.arguments = arguments
        self.declared = Dictionary(declared.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Presence

    /// Whether the option was given at all.
    func has(_ name: String) -> Bool { !occurrences(of: name).isEmpty }

    /// Whether a flag was given.
    func flag(_ name: String) -> Bool { has(name) }

    // MARK: One value

    func text(_ name: String) -> String? { occurrences(of: name).last ?? nil }

    func integer(_ name: String) throws -> Int? {
        try convert(name) { text throws(TextError) in try ValueSyntax.integer(text, in: .min ... .max) }
    }

    func number(_ name: String) throws -> Double? { try convert(name, ValueSyntax.number) }

    func duration(_ name: String) throws -> Duration? { try convert(name, DurationText.parse) }

    /// Bytes.
    func size(_ name: String) throws -> Int? { try convert(name, ByteSizeText.parse) }

    func time(_ name: String, now: Timestamp) throws -> Timestamp? {
        try convert(name, TimeText.parse)?.resolved(now: now)
    }

    func choice<Choice: RawRepresentable>(_ name: String, as type: Choice.Type = Choice.self) throws -> Choice?
    where Choice.RawValue == String {
        try convert(name) { text throws(TextError) in
            guard let choice = Choice(rawValue: text) else { throw TextError("is not a choice") }
            return choice
        }
    }

    /// For an option whose value may be left out.
    func optionalDuration(_ name: String) throws -> Presence<Duration> {
        guard has(name) else { return .absent }
        return try duration(name).map { .value($0) } ?? .bare
    }

    // MARK: Many values

    /// Every value of a repeated option.
    func texts(_ name: String) -> [String] { occurrences(of: name).compactMap { $0 } }

    /// `NAME=VALUE` options in order.
    func pairs(_ name: String) throws -> [(name: String, value: String)] {
        try texts(name).map { try converted($0, name, ValueSyntax.pair) }
    }

    // MARK: Arguments

    /// A positional argument; nil only where the command declares it optional.
    func argument(_ name: String) -> String? { words(of: name).first }

    /// A positional argument that must be there.
    func requiredArgument(_ name: String) throws -> String {
        guard let word = argument(name) else {
            throw UsageError(message: "\(name) is missing", hint: "Run `tidemill \(commandLine) --help`.")
        }
        return word
    }

    /// What a `rest` argument took.
    func rest(_ name: String) -> [String] { words(of: name) }

    // MARK: Inside

    private var commandLine: String { path.joined(separator: " ") }

    private func occurrences(of name: String) -> [String?] {
        precondition(declared[name] != nil, "`\(commandLine)` declares no option --\(name)")
        return options[name] ?? []
    }

    private func words(of name: String) -> [String] {
        precondition(command.arguments.contains { $0.name == name }, "`\(commandLine)` declares no argument \(name)")
        return arguments[name] ?? []
    }

    private func convert<Value>(_ name: String, _ parse: (String) throws(TextError) -> Value) throws -> Value? {
        try text(name).map { try converted($0, name, parse) }
    }

    private func converted<Value>(
        _ text: String, _ name: String, _ parse: (String) throws(TextError) -> Value
    ) throws -> Value {
        do {
            return try parse(text)
        } catch {
            throw UsageError(
                message: "--\(name): `\(text)` \(error)", hint: "Run `tidemill \(commandLine) --help`.")
        }
    }
}

extension ParsedArguments.Presence: Equatable where Value: Equatable {}
extension ParsedArguments.Presence: Sendable where Value: Sendable {}
