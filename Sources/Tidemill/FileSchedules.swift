import ServiceRuntime
import TaskClient
import TaskModel
import TaskTelemetry

/// At start, makes the schedules what the file says: creates, updates, removes those that left it.
///
/// Several processes may start at once: the commands carry base revisions, so one wins and the others find nothing to do.
package final class FileSchedules: Service {
    package let serviceName = "schedules of the file"
    let client: TaskClient
    let specs: [ScheduleSpec]
    let origin: ScheduleOrigin
    let author: String
    let logger: Logger
    private let time: any TimeSource
    private let stopRequest = OneShot()

    /// How often a conflict with another process is tried again, with the schedules read anew.
    private static let tries = 5

    init(
        client: TaskClient, specs: [ScheduleSpec], origin: ScheduleOrigin, author: String, logger: Logger,
        time: any TimeSource = SystemTimeSource()
    ) {
        self.time = time
        self.client = client
        self.specs = specs
        self.origin = origin
        self.author = author
        self.logger = logger
    }

    package func run() async throws {
        for spec in specs {
            for warning in spec.warnings { logger.warning("\(warning)", ["schedule": spec.id]) }
        }
        for _ in 1...Self.tries {
            let changes = try await time.patiently(
                until: stopRequest, passes: { ($0 as? ClientError)?.isRetriable == true },
                report: { self.logger.warning("the log does not answer yet", ["error": "\($0)"]) },
                {
                    try await self.client.apply(
                        self.specs, origin: self.origin, prune: true, isDryRun: false, author: self.author,
                        reason: "configuration file")
                })
            guard let changes else { return }
            report(changes)
            guard changes.contains(where: { if case .conflict = $0.reply { true } else { false } }) else { return }
        }
    }

    package func stop() async { stopRequest.fire() }

    private func report(_ changes: [ScheduleChange]) {
        for change in changes {
            switch (change.kind, change.reply) {
            case (.refused(let reason), _), (_, .refused(let reason)?):
                logger.error("schedule refused", ["schedule": change.id, "reason": reason])
            case (.unchanged, _): break
            case (_, .queued?): logger.warning("schedule queued: no scheduler answered", ["schedule": change.id])
            case (_, .conflict?):
                logger.info("schedule changed by another process; reading again", ["schedule": change.id])
            default: logger.info("schedule \(change.kind.word)d", ["schedule": change.id])
            }
        }
    }
}
