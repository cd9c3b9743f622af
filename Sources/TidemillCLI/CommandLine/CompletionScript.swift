/// Completion for a shell, written from the tree of commands.
enum CompletionShell: String, Sendable, CaseIterable {
    case bash
    case zsh
    case fish

    /// The script that `source`, `compdef` or fish's completion folder takes.
    func script(for root: CommandSpec) -> String {
        let nodes = CompletionNode.all(below: root)
        switch self {
        case .bash: return BashCompletion(root: root, nodes: nodes).script
        case .zsh: return ZshCompletion(root: root, nodes: nodes).script
        case .fish: return FishCompletion(root: root, nodes: nodes).script
        }
    }

    /// The command that prints it.
    static let command = CommandSpec(
        "completion", "Print a completion script for a shell",
        section: "Help",
        examples: [
            .init("source <(tidemill completion bash)", "now, in this shell"),
            .init("tidemill completion zsh > \"${fpath[1]}/_tidemill\"", "for good"),
            .init("tidemill completion fish > ~/.config/fish/completions/tidemill.fish"),
        ],
        arguments: [ArgumentSpec("shell", .choice(of: CompletionShell.self), "The shell")])
}

/// A command as the scripts need it: where it stands, and all that it takes.
struct CompletionNode: Sendable {
    /// From the program's name down.
    let names: [String]
    let command: CommandSpec
    let options: [OptionSpec]

    /// `root` and every command below it, each before its subcommands.
    static func all(below root: CommandSpec) -> [CompletionNode] {
        func walk(_ lineage: [CommandSpec]) -> [CompletionNode] {
            let command = lineage[lineage.count - 1]
            let node = CompletionNode(
                names: lineage.map(\.name), command: command, options: CommandLineParser.options(of: lineage))
            return [node] + command.subcommands.flatMap { walk(lineage + [$0]) }
        }
        return walk([root])
    }
}

extension ValueSyntax {
    /// What a value can be completed to.
    enum Completion: Sendable, Hashable {
        case words([String])
        case files
        case nothing
    }

    var completion: Completion {
        switch self {
        case .choice(let words): .words(words)
        case .path: .files
        default: .nothing
        }
    }
}
