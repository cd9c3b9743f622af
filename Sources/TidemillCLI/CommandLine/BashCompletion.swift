/// A bash function that walks the words of the line to the command they name, then offers what it takes.
struct BashCompletion: Sendable {
    let root: CommandSpec
    let nodes: [CompletionNode]

    var script: String {
        """
        # Completion of \(root.name) for bash: source it.
        _\(root.name)() {
            local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
            local path="\(root.name)" word index offered=""
            COMPREPLY=()
            # bash splits --name=value at the equals sign.
            if [[ "$current" == "=" ]]; then
                current=""
            elif [[ "$previous" == "=" && COMP_CWORD -ge 2 ]]; then
                previous="${COMP_WORDS[COMP_CWORD-2]}"
            fi
            for ((index = 1; index < COMP_CWORD; index++)); do
                word="${COMP_WORDS[index]}"
                case "$path:$word" in
        \(lines(skips, "            "))
                esac
                case "$path $word" in
        \(lines(steps, "            "))
                esac
            done
            case "$path:$previous" in
        \(lines(values, "        "))
            esac
            if [[ "$current" == -* ]]; then
                case "$path" in
        \(lines(options, "            "))
                esac
            else
                case "$path" in
        \(lines(words, "            "))
                esac
            fi
            COMPREPLY=($(compgen -W "$offered" -- "$current"))
        }
        complete -F _\(root.name) \(root.name)

        """
    }

    private func lines(_ lines: [String], _ margin: String) -> String {
        lines.map { margin + $0 }.joined(separator: "\n")
    }

    private func path(_ node: CompletionNode) -> String { node.names.joined(separator: " ") }

    private func spellings(_ option: OptionSpec) -> [String] {
        ["--\(option.name)"] + (option.short.map { ["-\($0)"] } ?? [])
    }

    /// Words that take the next word as their value, which therefore names no command.
    private var skips: [String] {
        let patterns = nodes.flatMap { node in
            node.options.flatMap { option -> [String] in
                guard case .value = option.form else { return [] }
                return spellings(option).map { "\"\(path(node)):\($0)\"" }
            }
        }
        return patterns.isEmpty ? ["*) ;;"] : ["\(patterns.joined(separator: "|")))", "    ((index++)); continue ;;"]
    }

    private var steps: [String] {
        let patterns = nodes.dropFirst().map { "\"\(path($0))\"" }
        return patterns.isEmpty ? ["*) ;;"] : ["\(patterns.joined(separator: "|"))) path=\"$path $word\" ;;"]
    }

    private var values: [String] {
        let cases = nodes.flatMap { node in
            node.options.compactMap { option -> String? in
                // An optional value follows `=` only, where bash cannot tell it from the next word: not completed.
                guard case .value(let syntax) = option.form else { return nil }
                let pattern = spellings(option).map { "\"\(path(node)):\($0)\"" }.joined(separator: "|")
                return "\(pattern)) \(reply(syntax)); return ;;"
            }
        }
        return cases.isEmpty ? ["*) ;;"] : cases
    }

    private var options: [String] {
        nodes.map { node in
            "\"\(path(node))\") offered=\"\(node.options.map { "--\($0.name)" }.joined(separator: " "))\" ;;"
        }
    }

    private var words: [String] {
        nodes.map { node in
            let pattern = "\"\(path(node))\""
            let commands = node.command.subcommands.map(\.name)
            if !commands.isEmpty { return "\(pattern)) offered=\"\(commands.joined(separator: " "))\" ;;" }
            guard let syntax = node.command.arguments.first?.syntax, syntax.completion != .nothing else {
                return "\(pattern)) ;;"
            }
            return "\(pattern)) \(reply(syntax)); return ;;"
        }
    }

    private func reply(_ syntax: ValueSyntax) -> String {
        switch syntax.completion {
        case .words(let words): "COMPREPLY=($(compgen -W \"\(words.joined(separator: " "))\" -- \"$current\"))"
        case .files: "COMPREPLY=($(compgen -f -- \"$current\"))"
        case .nothing: ":"
        }
    }
}
