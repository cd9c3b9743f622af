/// Lines of fish's `complete`, each valid at one command.
struct FishCompletion: Sendable {
    let root: CommandSpec
    let nodes: [CompletionNode]

    var script: String {
        """
        # Completion of \(root.name) for fish: put it into ~/.config/fish/completions.
        function __\(root.name)_at --description 'Whether the line names exactly this command'
            set --local path \(root.name)
            set --local words (commandline --current-process --tokenize --cut-at-cursor)
            set --local skip 0
            for word in $words[2..-1]
                if test $skip -eq 1
                    set skip 0
                    continue
                end
                switch "$path:$word"
        \(skips)
                end
                switch "$path $word"
        \(steps)
                end
            end
            test "$path" = "$argv[1]"
        end
        complete --command \(root.name) --no-files
        \(nodes.flatMap(lines).joined(separator: "\n"))

        """
    }

    private func path(_ node: CompletionNode) -> String { node.names.joined(separator: " ") }

    private var skips: String {
        let patterns = nodes.flatMap { node in
            node.options.flatMap { option -> [String] in
                guard case .value = option.form else { return [] }
                return [quoted("\(path(node)):--\(option.name)")]
                    + (option.short.map { [quoted("\(path(node)):-\($0)")] } ?? [])
            }
        }
        return patterns.isEmpty ? "" : "            case \(patterns.joined(separator: " "))\n                set skip 1"
    }

    private var steps: String {
        let patterns = nodes.dropFirst().map { quoted(path($0)) }
        guard !patterns.isEmpty else { return "" }
        return "            case \(patterns.joined(separator: " "))\n                set path \"$path $word\""
    }

    private func lines(_ node: CompletionNode) -> [String] {
        let start = "complete --command \(root.name) --condition \(quoted("__\(root.name)_at \(quoted(path(node)))"))"
        var lines = node.command.subcommands.map {
            "\(start) --arguments \(quoted($0.name)) --description \(quoted($0.abstract))"
        }
        lines += node.options.map { option in
            let short = option.short.map { " --short-option \($0)" } ?? ""
            return "\(start) --long-option \(option.name)\(short)\(value(option)) --description \(quoted(option.help))"
        }
        if let syntax = node.command.arguments.first?.syntax {
            switch syntax.completion {
            case .words(let words): lines.append("\(start) --arguments \(quoted(words.joined(separator: " ")))")
            case .files: lines.append("\(start) --force-files")
            case .nothing: break
            }
        }
        return lines
    }

    private func value(_ option: OptionSpec) -> String {
        guard case .value(let syntax) = option.form else { return "" }
        switch syntax.completion {
        case .words(let words):
            return " --require-parameter --no-files --arguments \(quoted(words.joined(separator: " ")))"
        case .files: return " --require-parameter --force-files"
        case .nothing: return " --require-parameter --no-files"
        }
    }

    private func quoted(_ text: String) -> String {
        let escaped = text.map { $0 == "\\" || $0 == "'" ? "\\\($0)" : String($0) }.joined()
        return "'\(escaped)'"
    }
}
