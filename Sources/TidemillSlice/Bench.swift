import Foundation
import ServiceRuntime
import TaskClient
import TaskModel
import TaskTelemetry
import Tidemill

/// A log with its topics, the processes on it, and the eyes of the one who judges.
struct Bench: Sendable {
    let place: RunPlace
    let installation: Installation
    let watch: LogWatch
    let fleet: Fleet

    var client: TaskClient { installation.client }

    /// Opens the log, creates the topics, runs the body beside the watch; ends every process before it returns.
    static func with<Value: Sendable>(
        _ place: RunPlace, _ body: @escaping @Sendable (Bench) async throws -> Value
    ) async throws -> Value {
        try place.makeFolders()
        let logger = Logger(level: .warning, sink: TextLogSink())
        let installation = try await Installation.open(place.configuration(id: "judge"), logger: logger)
        try await installation.ensureTopics()
        let watch = try await LogWatch.open(installation.log, installation.configuration.topicPlan)
        let bench = Bench(
            place: place, installation: installation, watch: watch, fleet: Fleet(place: place, watch: watch))
        let result = await Result(of: bench, body)
        await bench.fleet.killAll()
        await watch.close()
        await installation.log.close()
        return try result.get()
    }

    func publish(_ requests: [PublishRequest]) async throws -> Set<Fingerprint> {
        var accepted: Set<Fingerprint> = []
        for result in await client.publish(requests) { accepted.insert(try result.get().fingerprint) }
        return accepted
    }

    /// Waits until nothing waits in `retry`; what stays is for the audit to find.
    func waitForRetryToDrain() async {
        _ = await watch.holds(atMost: 20_000) { $0.stillWaiting.isEmpty }
    }

    func audit(_ accepted: Set<Fingerprint>) async throws -> AuditReport {
        Auditor.audit(try await auditInput(accepted))
    }

    func auditInput(_ accepted: Set<Fingerprint>) async throws -> AuditInput {
        try await RunReading(place: place, installation: installation).auditInput(
            accepted: accepted, interventions: await fleet.interventions, watch: watch)
    }
}

extension Result where Failure == any Error, Success: Sendable {
    /// The body's result, with the watch reading beside it; a watch that cannot read on is the result too.
    fileprivate init(of bench: Bench, _ body: @escaping @Sendable (Bench) async throws -> Success) async {
        self = await withTaskGroup(of: Result<Success, any Error>?.self) { group in
            group.addTask {
                do {
                    try await bench.watch.run()
                    return nil
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do { return .success(try await body(bench)) } catch { return .failure(error) }
            }
            let first = await group.next() ?? nil
            await bench.watch.close()
            group.cancelAll()
            return first ?? .failure(SliceFailure("the log was closed"))
        }
    }
}
