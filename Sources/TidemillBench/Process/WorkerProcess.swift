import TaskModel
import TidemillHarness
import WorkerRole

struct WorkerOrder: Codable, Sendable {
    var place: BenchPlace
    var id: String
    /// Says when partitions open, and follows measured events to their end. Not free, so burning down does without.
    var isObserved: Bool
}

/// A worker of the library with a handler that does what the payload says: mostly nothing.
enum WorkerProcess {
    static func run(_ order: WorkerOrder) async throws -> Int32 {
        let recorder = StartRecorder(tracksSettling: order.isObserved)
        let task = TaskDefinition(
            BenchPlace.task, retry: RetryPolicy(initial: 1000, factor: 1, jitter: 0, maxAttempts: 3),
            handler: BenchHandler(recorder: recorder))
        let observe: @Sendable (WorkerReport) -> Void = { recorder.heard($0) }
        let status = try await RoleProcess.run(order.place.configuration(id: order.id)) { installation in
            [try installation.makeWorker(tasks: [task], onReport: order.isObserved ? observe : nil)]
        }
        try ChildLine.write(summary: recorder.summary)
        return status
    }
}

struct BenchHandler: TaskHandler {
    let recorder: StartRecorder

    func run(_ context: TaskContext) async throws {
        recorder.started()
        guard let order = WorkOrder(context.payload) else { return }
        if order.clock != .none, context.attempt == 1 || order.clock == .due { recorder.measure(order, context.event) }
        if order.sleepMilliseconds > 0 { try await Task.sleep(for: .milliseconds(Int(order.sleepMilliseconds))) }
        if order.failsOnce, context.attempt == 1 {
            throw TaskFailure.retryAfter(milliseconds: 1000, code: "planned", "the first attempt fails")
        }
    }
}
