import Foundation
import Tidemill
import TidemillHarness

/// A worker, as a process of its own.
enum WorkerProcess {
    static func run(_ arguments: SliceArguments) async throws -> Int32 {
        let place = try arguments.place()
        let id = try arguments.text("id")
        let processID = ProcessInfo.processInfo.processIdentifier
        let journal = try ExecutionJournal(
            path: "\(place.journalFolder)/\(id)-\(processID)", syncs: place.syncsJournal)
        let time = SteppedTimeSource()
        return try await RoleProcess.run(
            place.configuration(id: id), onLine: RoleControls.listener(time)
        ) { installation in
            [try installation.makeWorker(tasks: [WorkHandler(journal: journal, place: place).definition], time: time)]
        }
    }
}

/// A scheduler, as a process of its own.
enum SchedulerProcess {
    static func run(_ arguments: SliceArguments) async throws -> Int32 {
        let configuration = try arguments.place().configuration(id: try arguments.text("id"))
        let time = SteppedTimeSource()
        return try await RoleProcess.run(configuration, onLine: RoleControls.listener(time)) {
            $0.makeScheduler(time: time)
        }
    }
}
