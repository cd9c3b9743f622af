/// One zsh function per command, each of which hands over to those below it.
struct ZshCompletion: Sendable {
    let root: CommandSpec
    let nodes: [CompletionNode]

    var script: String {
        let functions = nodes.map { $0.command.subcommands.isEmpty ? leaf($0) : branch($0) }
        return """
            #compdef \(root.name)
            # Completion of \(root.name) for zsh: put it on $fpath as _\(root.name), or source it after compinit.
            \(functions.joined(separator: "\n"))
            if [[ "$funcstack[1]" == "_\(root.name)" ]]; then
                _\(root.name) "$@"
            else
                compdef _\(root.name) \(root.name)
            fi

            """
    }

    private func name(_ node: CompletionNode) -> String {
        "_" + node.names.joined(separator: "_").map { $0 == "-" ? "_" : $0 }.map(String.init).joined()
    }

    private func leaf(_ node: CompletionNode) -> String {
        let specs = node.options.map(spec) + node.command.arguments.enumerated().map { spec($1, position: $0 + 1) }
        return """
            \(name(node))() {
                _arguments -s \\
            \(specs.map { "        \($0)" }.joined(separator: " \\\n"))
            }
            """
    }

    private func branch(_ node: CompletionNode) -> String {
        let commands = node.command.subcommands.map { "        \(quoted("\(escaped($0.name)):\($0.abstract)"))" }
        let cases = node.command.subcommands.map { command in
            let child = CompletionNode(names: node.names + [command.name], command: command, options: [])
            return "        \(command.name)) \(name(child)) ;;"
        }
        let specs = node.options.map(spec) + ["'1: :->command'", "'*:: :->rest'"]
        return """
            \(name(node))() {
                local context state state_descr line
                typeset -A opt_args
                local -a commands=(
            \(commands.joined(separator: "\n"))
                )
                _arguments -C -s \\
            \(specs.map { "        \($0)" }.joined(separator: " \\\n"))
                case "$state" in
                command) _describe -t commands command commands ;;
                rest)
                    case "$line[1]" in
            \(cases.joined(separator: "\n"))
                    esac ;;
                esac
            }
            """
    }

    private func spec(_ option: OptionSpec) -> String {
        let repeats = option.occurrence == .repeated
        let text = "[\(escaped(option.help))]"
        let value: String
        switch option.form {
        case .flag: value = text
        case .value(let syntax): value = "=\(text):\(escaped(option.placeholder)):\(action(syntax))"
        case .optionalValue(let syntax): value = "=-\(text)::\(escaped(option.placeholder)):\(action(syntax))"
        }
        let star = repeats ? "*" : ""
        guard let short = option.short else { return quoted("\(star)--\(option.name)\(value)") }
        let exclusive = repeats ? "'*'" : "'(-\(short) --\(option.name))'"
        let shortValue = value.hasPrefix("=") && !value.hasPrefix("=-") ? "+" + value.dropFirst() : value
        return "\(exclusive){\(quoted("-\(short)\(shortValue)")),\(quoted("--\(option.name)\(value)"))}"
    }

    private func spec(_ argument: ArgumentSpec, position: Int) -> String {
        let place =
            switch argument.occurrence {
            case .required: "\(position):"
            case .optional: "\(position)::"
            case .rest: "*:"
            }
        return quoted("\(place)\(escaped(argument.name)):\(action(argument.syntax))")
    }

    private func action(_ syntax: ValueSyntax) -> String {
        switch syntax.completion {
        case .words(let words): "(\(words.joined(separator: " ")))"
        case .files: "_files"
        case .nothing: " "
        }
    }

    /// Colons and brackets mean something to `_arguments`.
    private func escaped(_ text: String) -> String {
        text.map { ":[]\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    private func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
