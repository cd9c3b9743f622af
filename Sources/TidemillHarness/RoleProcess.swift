internal import Foundation
package import ServiceRuntime
package import Settings
internal import TaskTelemetry
package import Tidemill

/// A worker or a scheduler as a process of its own, the child of a run.
package enum RoleProcess {
    /// Opens the log and runs the services until SIGTERM. Returns the exit status.
    package static func run(
        _ configuration: Configuration, _ make: (Installation) throws -> [any Service]
    ) async throws -> Int32 {
        endWithParent()
        let logger = Logger(level: .info, sink: JSONLogSink())
        let installation = try await Installation.open(configuration, logger: logger)
        let grace = Duration.milliseconds(configuration.worker.grace + 10_000)
        let end = try await ServiceGroup(services: try make(installation), grace: grace, logger: logger).run()
        await installation.log.close()
        logger.info("ended", ["how": "\(end)"])
        if case .cancelled = end { return 1 }
        return 0
    }

    /// The parent holds the other end of standard input: when it is gone, so is the reason to run.
    package static func endWithParent() {
        Thread.detachNewThread {
            while !FileHandle.standardInput.availableData.isEmpty {}
            exit(3)
        }
    }
}
