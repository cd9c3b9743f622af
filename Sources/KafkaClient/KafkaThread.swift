internal import Dispatch
internal import Foundation
import Synchronization

/// Threads of our own: a blocking call of librdkafka must not hold one of Swift's few.
enum KafkaThread {
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { body() }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }
}

/// A few threads that run blocking calls in order of arrival. They start when they are needed and end with the pool.
///
/// Each caller waits for its own call, so the queue is no longer than there are callers.
package final class BlockingPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let available = DispatchSemaphore(value: 0)
    private let maximumThreads: Int

    package init(maximumThreads: Int) {
        self.maximumThreads = maximumThreads
    }

    /// Runs `body` on a thread of the pool. Throws `closed` after ``close()``.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let accepted = submit { continuation.resume(with: Result { try body() }) }
            if !accepted { continuation.resume(throwing: KafkaError(.closed, "the Kafka client is closed")) }
        }
    }

    /// Calls that were handed in are still run; later ones are refused.
    package func close() {
        let threads = state.withLock { state -> Int in
            guard !state.isClosed else { return 0 }
            state.isClosed = true
            return state.threads
        }
        for _ in 0..<threads { available.signal() }
    }

    private func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let (accepted, startsThread) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, false) }
            state.jobs.append(job)
            guard state.jobs.count > state.idle && state.threads < maximumThreads else { return (true, false) }
            state.threads += 1
            return (true, true)
        }
        guard accepted else { return false }
        if startsThread { KafkaThread.start("kafka-calls") { self.work() } }
        available.signal()
        return true
    }

    private func work() {
        while true {
            state.withLock { $0.idle += 1 }
            available.wait()
            let (job, isDone) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
                state.idle -= 1
                guard !state.jobs.isEmpty else { return (nil, state.isClosed) }
                return (state.jobs.removeFirst(), false)
            }
            job?()
            if isDone { return }
        }
    }
}
