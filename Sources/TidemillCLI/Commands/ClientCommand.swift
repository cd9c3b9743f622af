import TaskClient

/// A command that needs a client and nothing else of the process.
protocol ClientCommand: Sendable {
    /// The words that select it: `["dead-letters", "replay"]`.
    static var path: [String] { get }
    static var spec: CommandSpec { get }

    /// Does it and returns the exit status. Throws ``ClientError``, ``UsageError``, or what the system throws.
    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32
}

/// All commands over a client, as the tree that the parser reads, and how to run one.
enum ClientCommands {
    static let all: [any ClientCommand.Type] = [
        PublishCommand.self, EventsShowCommand.self, EventsWaitCommand.self, EventsReplayCommand.self,
        CancelCommand.self,
        SchedulesListCommand.self, SchedulesShowCommand.self, SchedulesPreviewCommand.self, SchedulesWhyCommand.self,
        SchedulesApplyCommand.self, SchedulesRemoveCommand.self,
        SchedulesPauseCommand.self, SchedulesResumeCommand.self, SchedulesTriggerCommand.self,
        SchedulesBackfillCommand.self,
        DeadLettersListCommand.self, DeadLettersShowCommand.self, DeadLettersReplayCommand.self,
        DeadLettersDiscardCommand.self,
        TopicsCreateCommand.self, TopicsCheckCommand.self, DoctorCommand.self,
    ]

    private static let groups: [(name: String, abstract: String, section: String)] = [
        ("events", "Look at events, and run past ones again", Section.events),
        ("schedules", "List, preview, change and explain schedules", Section.schedules),
        ("dead-letters", "Search, replay and discard dead letters", Section.events),
        ("topics", "Create and check the topics", Section.operations),
    ]

    /// The headings of the program's help page.
    enum Section {
        static let events = "Events"
        static let schedules = "Schedules"
        static let operations = "Operations"
    }

    /// For the root of the command tree, in the order of ``all``.
    static var specs: [CommandSpec] {
        var specs: [CommandSpec] = []
        for command in all {
            guard command.path.count > 1, let group = groups.first(where: { $0.name == command.path[0] }) else {
                specs.append(command.spec)
                continue
            }
            if let index = specs.firstIndex(where: { $0.name == group.name }) {
                specs[index].subcommands.append(command.spec)
            } else {
                specs.append(
                    CommandSpec(group.name, group.abstract, section: group.section, subcommands: [command.spec]))
            }
        }
        return specs
    }

    static func command(at path: [String]) -> (any ClientCommand.Type)? { all.first { $0.path == path } }

    /// Runs a command and says on stderr what went wrong.
    static func run(
        _ command: any ClientCommand.Type, _ arguments: ParsedArguments, _ context: CommandContext
    ) async -> Int32 {
        do {
            return try await command.run(arguments, context)
        } catch let error as UsageError {
            context.output.writeError("\(error)\n")
            return ExitStatus.usage
        } catch is CancellationError {
            context.output.note("cancelled")
            return ExitStatus.failure
        } catch {
            context.output.note("\(error)")
            return ExitStatus.failure
        }
    }
}
