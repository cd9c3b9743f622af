import Synchronization
import TaskModel
import TaskTelemetry

@testable import WorkerRole

/// What the handler tests share.
enum Fixture {
    static let fingerprint = Fingerprint(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)

    static func event(payload: [UInt8] = []) -> TaskEvent {
        TaskEvent(id: "id-1", source: "/tests", task: "report", payload: payload, fingerprint: fingerprint)
    }

    static func context(
        payload: [UInt8] = [], logs: LineCollector = LineCollector(), change: (inout TaskEvent) -> Void = { _ in }
    ) -> TaskContext {
        var event = event(payload: payload)
        change(&event)
        return TaskContext(
            event: event, queue: "default", fencingToken: FencingToken(partition: 3, epoch: 7, turn: 2),
            worker: "worker-1", deadline: Timestamp(milliseconds: 1_700_000_000_000), logger: Logger(sink: logs))
    }

    /// The failure that `body` throws.
    static func failure(_ body: () async throws -> Void) async -> TaskFailure? {
        do {
            try await body()
            return nil
        } catch {
            return error as? TaskFailure
        }
    }
}

/// Keeps log lines, and lets a test wait for one.
final class LineCollector: LogSink {
    private struct State {
        var lines: [String] = []
        var waiters: [(prefix: String, continuation: CheckedContinuation<String, Never>)] = []
    }

    private let state = Mutex(State())

    func write(_ entry: LogEntry) {
        let woken = state.withLock { state in
            state.lines.append(entry.message)
            let woken = state.waiters.filter { entry.message.hasPrefix($0.prefix) }
            state.waiters.removeAll { entry.message.hasPrefix($0.prefix) }
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: entry.message) }
    }

    var lines: [String] { state.withLock { $0.lines } }

    /// The first line that starts so, whether it has come or will come.
    func line(startingWith prefix: String) async -> String {
        await withCheckedContinuation { continuation in
            let found = state.withLock { state in
                let found = state.lines.first { $0.hasPrefix(prefix) }
                if found == nil { state.waiters.append((prefix, continuation)) }
                return found
            }
            if let found { continuation.resume(returning: found) }
        }
    }
}
