/// A command as data: what it is called, what it takes, and what its help says. The parser, the help pages and the
/// completion scripts all read this one tree, so they cannot disagree.
struct CommandSpec: Sendable, Hashable {
    /// The word that selects it.
    var name: String
    /// One line without a full stop, for the list of the level above.
    var abstract: String
    /// Paragraphs below the usage line, wrapped by the help page.
    var discussion: String = ""
    /// The heading under which the level above lists it.
    var section: String = ""
    var examples: [Example] = []
    var options: [OptionSpec] = []
    var arguments: [ArgumentSpec] = []
    var subcommands: [CommandSpec] = []

    struct Example: Sendable, Hashable {
        var command: String
        var comment: String

        init(_ command: String, _ comment: String = "") {
            self.command = command
            self.comment = comment
        }
    }

    init(
        _ name: String, _ abstract: String, discussion: String = "", section: String = "", examples: [Example] = [],
        options: [OptionSpec] = [], arguments: [ArgumentSpec] = [], subcommands: [CommandSpec] = []
    ) {
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.section = section
        self.examples = examples
        self.options = options
        self.arguments = arguments
        self.subcommands = subcommands
        precondition(
            arguments.isEmpty || subcommands.isEmpty, "\(name): a command has arguments or subcommands, not both")
    }

    func subcommand(_ name: some StringProtocol) -> CommandSpec? {
        subcommands.first { $0.name == name }
    }
}

/// An option of a command: `--name VALUE`, `--name=VALUE`, or `--name` for a flag.
struct OptionSpec: Sendable, Hashable {
    /// What may follow the name.
    enum Form: Sendable, Hashable {
        /// Nothing: present or not.
        case flag
        /// A value, as the next word or after `=`.
        case value(ValueSyntax)
        /// Nothing, or a value after `=`; never the next word, which would be ambiguous.
        case optionalValue(ValueSyntax)
    }

    enum Occurrence: Sendable, Hashable {
        case once
        case required
        /// Each occurrence adds a value.
        case repeated
    }

    /// Without the dashes.
    var name: String
    /// `-x`, if there is one.
    var short: Character?
    var form: Form
    var occurrence: Occurrence
    /// The word for the value in help, by default that of its syntax.
    var placeholder: String
    /// What happens without the option, for help; the value itself is the command's business.
    var defaultText: String?
    var help: String
    /// The heading of the help page under which it stands.
    var section: String
    /// Subcommands, at every depth, take it too.
    var isInherited: Bool

    private init(
        _ name: String, short: Character?, form: Form, occurrence: Occurrence, placeholder: String?,
        defaultText: String?, help: String, section: String, isInherited: Bool
    ) {
        self.name = name
        self.short = short
        self.form = form
        self.occurrence = occurrence
        switch form {
        case .flag: self.placeholder = ""
        case .value(let syntax), .optionalValue(let syntax): self.placeholder = placeholder ?? syntax.placeholder
        }
        self.defaultText = defaultText
        self.help = help
        self.section = section
        self.isInherited = isInherited
    }

    /// Present or not.
    static func flag(
        _ name: String, short: Character? = nil, _ help: String, section: String = "Options", inherited: Bool = false
    ) -> OptionSpec {
        OptionSpec(
            name, short: short, form: .flag, occurrence: .once, placeholder: nil, defaultText: nil, help: help,
            section: section, isInherited: inherited)
    }

    /// With a value.
    static func value(
        _ name: String, short: Character? = nil, _ syntax: ValueSyntax, _ help: String,
        occurrence: Occurrence = .once, placeholder: String? = nil, default defaultText: String? = nil,
        section: String = "Options", inherited: Bool = false
    ) -> OptionSpec {
        OptionSpec(
            name, short: short, form: .value(syntax), occurrence: occurrence, placeholder: placeholder,
            defaultText: defaultText, help: help, section: section, isInherited: inherited)
    }

    /// Alone, or with a value after `=`.
    static func optionalValue(
        _ name: String, short: Character? = nil, _ syntax: ValueSyntax, _ help: String,
        placeholder: String? = nil, section: String = "Options"
    ) -> OptionSpec {
        OptionSpec(
            name, short: short, form: .optionalValue(syntax), occurrence: .once, placeholder: placeholder,
            defaultText: nil, help: help, section: section, isInherited: false)
    }

    /// What a value must look like, or nil for a flag.
    var syntax: ValueSyntax? {
        switch form {
        case .flag: nil
        case .value(let syntax), .optionalValue(let syntax): syntax
        }
    }
}

/// A word that belongs to no option.
struct ArgumentSpec: Sendable, Hashable {
    enum Occurrence: Sendable, Hashable {
        case required
        case optional
        /// All that are left: none or more.
        case rest
    }

    var name: String
    var syntax: ValueSyntax
    var occurrence: Occurrence
    var help: String

    init(_ name: String, _ syntax: ValueSyntax = .text, _ help: String, occurrence: Occurrence = .required) {
        self.name = name
        self.syntax = syntax
        self.occurrence = occurrence
        self.help = help
    }
}
