import Settings

/// Reads the words of a command line against a tree of commands.
struct CommandLineParser: Sendable {
    /// What the command line asks for.
    enum Request: Sendable {
        case run(ParsedArguments)
        /// The help page of the command at this path (empty: the program itself).
        case help(path: [String])
        case version
    }

    /// The program itself: its name, its options, its commands.
    let root: CommandSpec

    /// Options that every command takes without declaring them.
    static let standardOptions: [OptionSpec] = [
        .flag("help", short: "h", "Show this page", section: "Help", inherited: true)
    ]

    /// Only the program itself takes it.
    static let versionOption = OptionSpec.flag("version", "Show the version", section: "Help")

    /// The request, or a ``UsageError`` that says what to do. `words` has no program name in front.
    func parse(_ words: [String]) throws(UsageError) -> Request {
        if words.isEmpty && !root.subcommands.isEmpty { return .help(path: []) }
        if words.first == "help", root.subcommand("help") == nil { return try helpRequest(Array(words.dropFirst())) }
        var reader = Reader(parser: self, words: words)
        return try reader.read()
    }

    /// The commands from the root down to `path`, or nil if it leads nowhere.
    func lineage(of path: [String]) -> [CommandSpec]? {
        var lineage = [root]
        for name in path {
            guard let next = lineage[lineage.count - 1].subcommand(name) else { return nil }
            lineage.append(next)
        }
        return lineage
    }

    /// The options that the last command of `lineage` takes, its own first.
    static func options(of lineage: [CommandSpec]) -> [OptionSpec] {
        var options = lineage.last?.options ?? []
        for ancestor in lineage.dropLast().reversed() {
            options += ancestor.options.filter(\.isInherited)
        }
        if lineage.count == 1 { options.append(versionOption) }
        return options + standardOptions
    }

    private func helpRequest(_ path: [String]) throws(UsageError) -> Request {
        var lineage = [root]
        for word in path {
            guard let next = lineage[lineage.count - 1].subcommand(word) else {
                throw Self.unknownCommand(word, in: lineage)
            }
            lineage.append(next)
        }
        return .help(path: path)
    }

    fileprivate static func unknownCommand(_ word: String, in lineage: [CommandSpec]) -> UsageError {
        let names = lineage.map(\.name).joined(separator: " ")
        let known = lineage[lineage.count - 1].subcommands.map(\.name)
        let hint =
            Suggestion.closest(to: word, among: known).map { "Did you mean `\(names) \($0)`? " } ?? ""
        return UsageError(
            message: "unknown command `\(word)`", hint: "\(hint)Run `\(names) --help` to see the commands.")
    }
}

/// One pass over the words: where it stands, and what it has read so far.
private struct Reader {
    let words: [String]
    var position = 0
    var lineage: [CommandSpec]
    var options: [String: [String?]] = [:]
    var positionals: [String] = []
    var optionsEnded = false

    init(parser: CommandLineParser, words: [String]) {
        self.words = words
        lineage = [parser.root]
    }

    var command: CommandSpec { lineage[lineage.count - 1] }
    var path: [String] { lineage.dropFirst().map(\.name) }
    var fullName: String { lineage.map(\.name).joined(separator: " ") }
    var declared: [OptionSpec] { CommandLineParser.options(of: lineage) }

    mutating func read() throws(UsageError) -> CommandLineParser.Request {
        do {
            while position < words.count {
                let word = words[position]
                position += 1
                try take(word)
            }
        } catch {
            // A person who asks for help is helped, whatever else the line says.
            if asksForHelp { return .help(path: path) }
            throw error
        }
        if options["help"] != nil { return .help(path: path) }
        if options["version"] != nil, path.isEmpty { return .version }
        return .run(try finish())
    }

    private var asksForHelp: Bool {
        words.prefix { $0 != "--" }.contains { $0 == "--help" || $0 == "-h" }
    }

    private mutating func take(_ word: String) throws(UsageError) {
        if optionsEnded || word == "-" || !word.hasPrefix("-") || isNegativeNumber(word) {
            try takeWord(word)
        } else if word == "--" {
            optionsEnded = true
        } else if word.hasPrefix("--") {
            try takeLongOption(word.dropFirst(2))
        } else {
            try takeShortOptions(word.dropFirst())
        }
    }

    /// `-1h` and `-5` are values; no short option is a digit.
    private func isNegativeNumber(_ word: String) -> Bool {
        word.utf8.count > 1 && word.utf8.dropFirst().first?.isDigit == true
    }

    private mutating func takeWord(_ word: String) throws(UsageError) {
        guard !command.subcommands.isEmpty else { return positionals.append(word) }
        guard let next = command.subcommand(word) else {
            throw CommandLineParser.unknownCommand(word, in: lineage)
        }
        lineage.append(next)
    }

    private mutating func takeLongOption(_ text: Substring) throws(UsageError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = declared.first(where: { $0.name == name }) else { throw unknownOption("--\(name)") }
        try record(option, spelled: "--\(name)", attached: parts.count == 2 ? String(parts[1]) : nil)
    }

    /// `-x`, `-xVALUE`, `-x=VALUE`, or several flags in one word.
    private mutating func takeShortOptions(_ text: Substring) throws(UsageError) {
        var rest = text
        while let letter = rest.popFirst() {
            guard let option = declared.first(where: { $0.short == letter }) else {
                throw unknownOption("-\(letter)")
            }
            if case .flag = option.form, rest.first != "=" {
                try record(option, spelled: "-\(letter)", attached: nil)
                continue
            }
            let attached = rest.isEmpty ? nil : String(rest.first == "=" ? rest.dropFirst() : rest)
            return try record(option, spelled: "-\(letter)", attached: attached)
        }
    }

    private mutating func record(
        _ option: OptionSpec, spelled: String, attached: String?
    ) throws(UsageError) {
        let value: String?
        switch option.form {
        case .flag:
            guard attached == nil else { throw usage("\(spelled) takes no value", "Leave out `=\(attached ?? "")`.") }
            value = nil
        case .optionalValue:
            value = attached
        case .value:
            if let attached {
                value = attached
            } else {
                value = try nextWord(for: option, spelled: spelled)
            }
        }
        if let value, let syntax = option.syntax {
            do {
                try syntax.check(value)
            } catch {
                throw usage("\(spelled): `\(value)` \(error)", seeHelp)
            }
        }
        if option.occurrence != .repeated, case .value = option.form, options[option.name] != nil {
            throw usage("\(spelled) is given more than once", "Give it once.")
        }
        options[option.name, default: []].append(value)
    }

    private mutating func nextWord(for option: OptionSpec, spelled: String) throws(UsageError) -> String {
        guard position < words.count, !isOption(words[position]) else {
            throw usage(
                "\(spelled) needs a value",
                "Give it as `\(spelled) \(option.placeholder)`, or `--\(option.name)=…` for a value that starts with `-`."
            )
        }
        position += 1
        return words[position - 1]
    }

    private func isOption(_ word: String) -> Bool {
        word.hasPrefix("-") && word != "-" && !isNegativeNumber(word)
    }

    private func unknownOption(_ spelled: String) -> UsageError {
        let spellings = declared.map { "--\($0.name)" }
        let suggestion = spelled.hasPrefix("--") ? Suggestion.closest(to: spelled, among: spellings) : nil
        let hint = suggestion.map { "Did you mean \($0)? " } ?? ""
        let isBelow = !command.subcommands.isEmpty && position < words.count
        let order = isBelow ? "Options of a command follow its name. " : ""
        return usage("unknown option \(spelled) for `\(fullName)`", hint + order + seeHelp)
    }

    private var seeHelp: String { "Run `\(fullName) --help` to see what it takes." }

    private func usage(_ message: String, _ hint: String) -> UsageError { UsageError(message: message, hint: hint) }

    // MARK: The end of the line

    private func finish() throws(UsageError) -> ParsedArguments {
        guard command.subcommands.isEmpty else {
            let names = command.subcommands.map(\.name).joined(separator: ", ")
            throw usage("`\(fullName)` needs a command: \(names)", "Run `\(fullName) --help` to see what they do.")
        }
        for option in declared where option.occurrence == .required && options[option.name] == nil {
            throw usage(
                "--\(option.name) is missing", "Add `--\(option.name) \(option.placeholder)`: \(option.help).")
        }
        return ParsedArguments(
            path: path, command: command, declared: declared, options: options, arguments: try bindPositionals())
    }

    private func bindPositionals() throws(UsageError) -> [String: [String]] {
        var left = positionals[...]
        var bound: [String: [String]] = [:]
        for argument in command.arguments {
            let taken: [String]
            switch argument.occurrence {
            case .required:
                guard let word = left.popFirst() else {
                    throw usage("\(argument.name) is missing: \(argument.help)", seeHelp)
                }
                taken = [word]
            case .optional:
                taken = left.popFirst().map { [$0] } ?? []
            case .rest:
                taken = Array(left)
                left = []
            }
            for word in taken {
                do {
                    try argument.syntax.check(word)
                } catch {
                    throw usage("\(argument.name): `\(word)` \(error)", seeHelp)
                }
            }
            bound[argument.name] = taken
        }
        guard let surplus = left.first else { return bound }
        throw usage("`\(fullName)` takes no argument `\(surplus)`", seeHelp)
    }
}
