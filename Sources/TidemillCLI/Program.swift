import Foundation
import ServiceRuntime
import Settings
import TaskModel
import TaskTelemetry
import Tidemill

/// The command `tidemill`: parses, opens what the command needs, runs it, says how it ended.
enum Program {
    static func run(_ words: [String], environment: [String: String]) async -> Int32 {
        let parser = CommandLineParser(root: ProgramSpec.root)
        let output = CommandOutput.standard(environment: environment)
        do {
            switch try parser.parse(words) {
            case .help(let path):
                let lineage = parser.lineage(of: path) ?? [ProgramSpec.root]
                output.write(HelpPage(lineage: lineage, terminal: output.terminal).render())
                return ExitStatus.success
            case .version:
                output.write("tidemill \(TidemillVersion.current)\n")
                return ExitStatus.success
            case .run(let arguments): return await run(arguments, output, environment)
            }
        } catch {
            output.writeError("\(error)\n")
            return ExitStatus.usage
        }
    }

    private static func run(_ arguments: ParsedArguments, _ output: CommandOutput, _ environment: [String: String])
        async
        -> Int32
    {
        do {
            if arguments.path.first == "completion" { return try CompletionCommand.run(arguments, output) }
            if arguments.path == SchedulesPreviewCommand.path, SchedulesPreviewCommand.isBare(arguments) {
                return try SchedulesPreviewCommand.runBare(arguments, output, now: SystemTimeSource().now())
            }
            let file = Configuration.locate(explicit: arguments.text("config"), environment: environment)
            let configuration = try Configuration.load(path: file, environment: environment)
            if arguments.path == ConfigValidateCommand.path {
                return ConfigValidateCommand.run(arguments, configuration, file: file, output)
            }
            let session = Session(configuration: configuration, file: file, environment: environment, output: output)
            if let role = RoleCommand(rawValue: arguments.path.first ?? "") {
                return try await role.run(arguments, session)
            }
            guard let command = ClientCommands.command(at: arguments.path) else {
                preconditionFailure("the parser knows no command that the program does not")
            }
            return try await session.withClient(arguments) { await ClientCommands.run(command, arguments, $0) }
        } catch let error as UsageError {
            output.writeError("\(error)\n")
            return ExitStatus.usage
        } catch let error as ConfigurationError {
            output.writeError("\(error)\n")
            return ExitStatus.usage
        } catch {
            output.note("\(error)")
            return ExitStatus.failure
        }
    }
}
