internal import Foundation
package import ServiceRuntime
package import Settings
internal import TaskTelemetry
package import Tidemill

/// A worker or a scheduler as a process of its own, the child of a run.
package enum RoleProcess {
    /// The exit status of a process that was told to end and was cut short, for what it waited for did not come.
    package static let gaveUp: Int32 = 4

    /// Opens the log and runs the services until SIGTERM. Returns the exit status. `onLine` gets what the parent sends.
    package static func run(
        _ configuration: Configuration, onLine: @escaping @Sendable (Substring) -> Void = { _ in },
        _ make: (Installation) throws -> [any Service]
    ) async throws -> Int32 {
        endWithParent(onLine: onLine)
        let logger = Logger(level: .info, sink: JSONLogSink())
        let installation = try await Installation.open(configuration, logger: logger)
        let grace = Duration.milliseconds(configuration.worker.grace + 10_000)
        let end = try await ServiceGroup(services: try make(installation), grace: grace, logger: logger).run()
        await installation.log.close()
        logger.info("ended", ["how": "\(end)"])
        if case .cancelled = end { return gaveUp }
        return 0
    }

    /// The parent holds the other end of standard input: when it is gone, so is the reason to run.
    package static func endWithParent(onLine: @escaping @Sendable (Substring) -> Void = { _ in }) {
        Thread.detachNewThread {
            // Not `readLine`: it holds a lock that `exit` waits for.
            var lines = LineBuffer()
            while true {
                let data = FileHandle.standardInput.availableData
                guard !data.isEmpty else { exit(3) }
                for line in lines.add(data) { onLine(line) }
            }
        }
    }
}
