/// The tree of all commands: what `--help` draws as a map.
enum ProgramSpec {
    enum Section {
        static let start = "Run"
        static let setup = "Set up"
    }

    static let root = CommandSpec(
        "tidemill", "A task scheduler and worker system whose only store is a log",
        discussion: """
            Without a configuration file everything happens in ./data/tidemill.db. With one (./tidemill.yaml, --config FILE or \
            TIDEMILL_CONFIG) the log may as well be Apache Kafka.
            """,
        examples: [
            .init("tidemill dev", "everything in one process"),
            .init("tidemill publish report '{\"month\":\"2026-10\"}' --wait", "run a task now, and see how it ends"),
            .init("tidemill dead-letters list --group", "what failed for good, by cause"),
        ],
        options: [
            .value(
                "config", short: "c", .path, "The configuration file", default: "./tidemill.yaml, if it is there",
                section: "Configuration", inherited: true),
            .value(
                "log-level", .text, "trace, debug, info, warning or error", placeholder: "LEVEL",
                section: "Configuration", inherited: true),
        ],
        subcommands: RoleCommand.allCases.map(\.spec) + ClientCommands.specs + [
            CommandSpec(
                "config", "Look at the configuration", section: Section.setup, subcommands: [ConfigValidateCommand.spec]
            ),
            CompletionCommand.spec,
        ])
}
