internal import Foundation
import ServiceRuntime
internal import TaskLog
import TaskModel
import TaskTelemetry

/// Says in the `workers` topic that a scheduler lives here, every five seconds, and that it has left when it stops in order.
///
/// A beat that cannot be appended is the next one's business: the log's own errors are reported by the scheduler.
package final class SchedulerHeartbeat: Service {
    package let serviceName = "scheduler heartbeat"
    private static let interval: Int64 = 5000
    private let log: any TaskLog
    private let topic: String
    private let identity: String
    private let time: any TimeSource
    private let stopped = OneShot()

    init(log: any TaskLog, names: TopicNames, identity: String, time: any TimeSource = SystemTimeSource()) {
        self.log = log
        topic = names.workers
        self.identity = identity
        self.time = time
    }

    package func stop() async { stopped.fire() }

    package func run() async throws {
        while !stopped.hasFired && !Task.isCancelled {
            await append(CanonicalJSON.encode(status))
            _ = await time.wait(for: stopped, milliseconds: Self.interval)
        }
        if stopped.hasFired { await append(nil) }
    }

    private func append(_ value: [UInt8]?) async {
        _ = try? await log.append(LogAppend(topic: topic, partition: 0, key: Array(identity.utf8), value: value))
    }

    private var status: WorkerStatus {
        WorkerStatus(
            worker: identity, role: "scheduler", version: TidemillVersion.current,
            host: ProcessInfo.processInfo.hostName, processID: ProcessInfo.processInfo.processIdentifier,
            partitions: [],
            running: 0, concurrency: 0, at: time.now())
    }
}
