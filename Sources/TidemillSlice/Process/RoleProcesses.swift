import Foundation
import ServiceRuntime
import TaskTelemetry
import Tidemill

/// A worker, as a process of its own.
enum WorkerProcess {
    static func run(_ arguments: SliceArguments) async throws -> Int32 {
        let place = try arguments.place()
        let id = try arguments.text("id")
        let processID = ProcessInfo.processInfo.processIdentifier
        let journal = try ExecutionJournal(
            path: "\(place.journalFolder)/\(id)-\(processID)", syncs: place.syncsJournal)
        return try await RoleProcess.run(place, id) { installation, time in
            [try installation.makeWorker(tasks: [WorkHandler(journal: journal, place: place).definition], time: time)]
        }
    }
}

/// A scheduler, as a process of its own.
enum SchedulerProcess {
    static func run(_ arguments: SliceArguments) async throws -> Int32 {
        try await RoleProcess.run(try arguments.place(), try arguments.text("id")) { $0.makeScheduler(time: $1) }
    }
}

private enum RoleProcess {
    static func run(
        _ place: RunPlace, _ id: String, _ make: (Installation, any TimeSource) throws -> [any Service]
    ) async throws -> Int32 {
        let time = SteppedTimeSource()
        RoleControls.listen(time)
        let logger = Logger(level: .info, sink: JSONLogSink())
        let configuration = place.configuration(id: id)
        let installation = try await Installation.open(configuration, logger: logger)
        let grace = Duration.milliseconds(configuration.worker.grace + 10_000)
        let end = try await ServiceGroup(services: try make(installation, time), grace: grace, logger: logger).run()
        await installation.log.close()
        logger.info("ended", ["how": "\(end)"])
        if case .cancelled = end { return 1 }
        return 0
    }
}
