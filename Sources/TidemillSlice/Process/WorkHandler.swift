import Foundation
import ServiceRuntime
import TaskModel
import WorkerRole

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Does what the payload says, and records its begin and its end.
struct WorkHandler: Sendable {
    let journal: ExecutionJournal
    let place: RunPlace
    let time = SystemTimeSource()

    static let retryPolicy = RetryPolicy(initial: 200, factor: 2, maximum: 2000, jitter: 0.2, maxAttempts: 3)

    var definition: TaskDefinition {
        TaskDefinition(
            Work.task, of: Work.self, retry: Self.retryPolicy
        ) { work, context in
            try await run(work, context)
        }
    }

    private func run(_ work: Work, _ context: TaskContext) async throws {
        await record(.begin, context)
        if work.fate == .kills, !isFixed { _exit(1) }
        do {
            try await takeTime(work)
        } catch {
            await record(.end, context, .cancelled)
            throw error
        }
        guard isFailing(work, context) else { return await record(.end, context, .succeeded) }
        await record(.end, context, .failed)
        throw TaskFailure.retry(code: "slice", "event \(work.index) fails at attempt \(context.attempt)")
    }

    private func takeTime(_ work: Work) async throws {
        guard work.fate == .stubborn else { return try await time.sleep(milliseconds: work.milliseconds) }
        // A task of its own does not hear of the cancellation.
        _ = await Task { try? await time.sleep(milliseconds: work.milliseconds) }.value
    }

    private func isFailing(_ work: Work, _ context: TaskContext) -> Bool {
        switch work.fate {
        case .succeeds, .stubborn, .kills: false
        case .failsOnce: context.event.replay == 0 && context.attempt == 1
        case .failsTwice: context.event.replay == 0 && context.attempt <= 2
        case .failsAlways: !isFixed
        }
    }

    private var isFixed: Bool { FileManager.default.fileExists(atPath: place.fixMark) }

    private func record(
        _ mark: ExecutionLine.Mark, _ context: TaskContext, _ result: ExecutionLine.Result? = nil
    ) async {
        await journal.add(
            ExecutionLine(
                mark, context.event.coordinate, attempt: context.attempt, worker: context.worker,
                processID: ProcessInfo.processInfo.processIdentifier, time: time.now(), result: result))
    }
}
