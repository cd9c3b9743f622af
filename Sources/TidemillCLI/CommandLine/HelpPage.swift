/// The help of one command, from its spec.
struct HelpPage: Sendable {
    /// From the root down to the command.
    let lineage: [CommandSpec]
    let terminal: Terminal

    private static let widest = 100
    private static let indent = "  "
    /// Names longer than this push their text to the next line.
    private static let widestName = 30

    private var command: CommandSpec { lineage[lineage.count - 1] }
    private var fullName: String { lineage.map(\.name).joined(separator: " ") }
    private var width: Int { max(40, min(terminal.width ?? 80, Self.widest)) }

    /// The page, ending in a line break.
    func render() -> String {
        var blocks = ["\(terminal.styled(fullName, .bold)): \(command.abstract)", usage]
        if !command.discussion.isEmpty {
            blocks.append(DisplayText.wrapped(command.discussion, to: width).joined(separator: "\n"))
        }
        blocks += commandBlocks
        if !command.arguments.isEmpty {
            let entries = command.arguments.map { (name: usage(of: $0), text: text(of: $0)) }
            blocks.append(block("Arguments", entries))
        }
        blocks += optionBlocks
        if !command.examples.isEmpty { blocks.append(examples) }
        if !command.subcommands.isEmpty {
            blocks.append("Run `\(fullName) <command> --help` for more about a command.")
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// One line: how the command is called.
    var usage: String {
        var words = [fullName]
        if !command.subcommands.isEmpty { words.append("<command>") }
        let own = CommandLineParser.options(of: lineage)
        words += own.filter { $0.occurrence == .required }.map { "--\($0.name) \($0.placeholder)" }
        words.append("[options]")
        words += command.arguments.map(usage(of:))
        return "\(terminal.styled("Usage:", .bold)) \(words.joined(separator: " "))"
    }

    private var commandBlocks: [String] {
        grouped(command.subcommands, by: { $0.section.isEmpty ? "Commands" : $0.section }).map { section, commands in
            block(section, commands.map { (name: $0.name, text: $0.abstract) })
        }
    }

    private var optionBlocks: [String] {
        grouped(CommandLineParser.options(of: lineage), by: \.section).map { section, options in
            block(section, options.map { (name: usage(of: $0), text: text(of: $0)) })
        }
    }

    private var examples: String {
        var lines = [terminal.styled("Examples", .bold)]
        for example in command.examples {
            if !example.comment.isEmpty { lines.append(terminal.styled("\(Self.indent)# \(example.comment)", .faint)) }
            lines.append(Self.indent + example.command)
        }
        return lines.joined(separator: "\n")
    }

    private func usage(of argument: ArgumentSpec) -> String {
        switch argument.occurrence {
        case .required: "<\(argument.name)>"
        case .optional: "[<\(argument.name)>]"
        case .rest: "[<\(argument.name)>…]"
        }
    }

    private func usage(of option: OptionSpec) -> String {
        let short = option.short.map { "-\($0), " } ?? "    "
        switch option.form {
        case .flag: return "\(short)--\(option.name)"
        case .value: return "\(short)--\(option.name) \(option.placeholder)"
        case .optionalValue: return "\(short)--\(option.name)[=\(option.placeholder)]"
        }
    }

    private func text(of option: OptionSpec) -> String {
        var notes: [String] = []
        if let defaultText = option.defaultText { notes.append("default: \(defaultText)") }
        switch option.occurrence {
        case .once: break
        case .required: notes.append("required")
        case .repeated: notes.append("may be repeated")
        }
        return option.help + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
    }

    private func text(of argument: ArgumentSpec) -> String {
        guard case .choice(let words) = argument.syntax else { return argument.help }
        return "\(argument.help): \(words.joined(separator: ", "))"
    }

    private func block(_ title: String, _ entries: [(name: String, text: String)]) -> String {
        let widths = entries.map { DisplayText.width($0.name) }.filter { $0 <= Self.widestName }
        let column = (widths.max() ?? Self.widestName) + 2
        var lines = [terminal.styled(title, .bold)]
        for entry in entries {
            let texts = DisplayText.wrapped(entry.text, to: width - column - Self.indent.count)
            let name = Self.indent + entry.name
            let margin = String(repeating: " ", count: column + Self.indent.count)
            let padding = column - DisplayText.width(entry.name)
            if padding >= 2 {
                lines.append(name + String(repeating: " ", count: padding) + texts[0])
                lines += texts.dropFirst().map { margin + $0 }
            } else {
                lines.append(name)
                lines += texts.map { margin + $0 }
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Groups in the order in which their first member appears.
    private func grouped<Element>(
        _ elements: [Element], by section: (Element) -> String
    ) -> [(section: String, elements: [Element])] {
        var groups: [(section: String, elements: [Element])] = []
        for element in elements {
            let name = section(element)
            if let index = groups.firstIndex(where: { $0.section == name }) {
                groups[index].elements.append(element)
            } else {
                groups.append((name, [element]))
            }
        }
        return groups
    }
}
