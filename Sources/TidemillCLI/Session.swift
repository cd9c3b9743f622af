import Foundation
import ServiceRuntime
import Settings
import TaskModel
import TaskTelemetry
import Tidemill

/// One call of the program: its configuration, and how to open what a command works on.
struct Session: Sendable {
    var configuration: Configuration
    /// The configuration file, when there is one.
    var file: String?
    var environment: [String: String]
    var output: CommandOutput

    /// Commands of a person are quiet unless something is wrong; roles say what they do.
    func logger(_ arguments: ParsedArguments, standard: LogLevel) throws -> Logger {
        var level = standard
        if let text = arguments.text("log-level") {
            guard let named = LogLevel(name: text) else {
                throw UsageError(
                    message: "--log-level \(text): no such level",
                    hint: "One of trace, debug, info, warning and error.")
            }
            level = named
        }
        return Logger(level: level, sink: StandardLogSink.make(configuration.observability.logFormat))
    }

    /// The origin of the file's schedules: the file's name, so that several files may each own some.
    var origin: ScheduleOrigin {
        .file(file.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "none")
    }

    /// Opens the log, runs the body with a client's context, closes the log.
    func withClient(_ arguments: ParsedArguments, _ body: (CommandContext) async -> Int32) async throws -> Int32 {
        let logger = try logger(arguments, standard: .warning)
        let installation = try await Installation.open(configuration, logger: logger)
        let status = await body(context(installation))
        await installation.log.close()
        return status
    }

    private func context(_ installation: Installation) -> CommandContext {
        let environment = environment
        let configuration = configuration
        let origin = origin
        let host = ProcessInfo.processInfo.hostName
        return CommandContext(
            client: installation.client, output: output, author: "\(environment["USER"] ?? NSUserName())@\(host)",
            loadSchedules: { path in
                guard let path else { return (configuration.scheduleSpecs(origin: origin), origin) }
                let named = ScheduleOrigin.file(URL(fileURLWithPath: path).lastPathComponent)
                let loaded = try Configuration.load(path: path, environment: environment)
                return (loaded.scheduleSpecs(origin: named), named)
            })
    }
}

extension CommandOutput {
    /// The process's own streams.
    static func standard(environment: [String: String]) -> CommandOutput {
        CommandOutput(
            terminal: .standardOutput(environment: environment),
            errorTerminal: .standardError(environment: environment),
            write: { FileHandle.standardOutput.write(Data($0.utf8)) },
            writeError: { FileHandle.standardError.write(Data($0.utf8)) })
    }
}
