internal import KafkaClient
import Synchronization
internal import TaskLog

/// Readers for scans: a consumer takes tens of milliseconds to connect, so a few are kept.
///
/// Bounded: a scan beyond the limit waits for another one to end.
final class ScanPool: Sendable {
    private struct State {
        var idle: [FetchSession] = []
        var lent = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let maximumReaders: Int
    private let make: @Sendable () throws -> FetchSession
    private static let maximumIdle = 2

    init(maximumReaders: Int, make: @escaping @Sendable () throws -> FetchSession) {
        self.maximumReaders = max(1, maximumReaders)
        self.make = make
    }

    /// Lends a reader to `body`. One that failed is not used again.
    func withReader<Value>(_ body: (FetchSession) async throws -> Value) async throws -> Value {
        let reader = try await borrow()
        do {
            let value = try await body(reader)
            await giveBack(reader)
            return value
        } catch {
            // Whatever the error was, the reader may have records or an error left.
            await discard(reader)
            throw error
        }
    }

    func close() async {
        let (idle, waiters) = state.withLock { state in
            state.isClosed = true
            defer { (state.idle, state.waiters) = ([], []) }
            return (state.idle, state.waiters)
        }
        for waiter in waiters { waiter.resume() }
        for reader in idle { await reader.close() }
    }

    private func borrow() async throws -> FetchSession {
        while true {
            let (reader, isFree) = try state.withLock { state -> (FetchSession?, Bool) in
                if state.isClosed { throw LogError.closed }
                guard state.lent < maximumReaders else { return (nil, false) }
                state.lent += 1
                return (state.idle.popLast(), true)
            }
            if let reader { return reader }
            if isFree { return try makeReader() }
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !state.isClosed, state.lent >= maximumReaders else { return false }
                    state.waiters.append(continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
        }
    }

    private func makeReader() throws -> FetchSession {
        do {
            return try make()
        } catch {
            wakeNext { $0.lent -= 1 }
            throw error
        }
    }

    private func giveBack(_ reader: FetchSession) async {
        reader.change { $0.buffer.removeAll() }
        let isKept = wakeNext { state in
            state.lent -= 1
            guard !state.isClosed, state.idle.count < Self.maximumIdle else { return false }
            state.idle.append(reader)
            return true
        }
        if !isKept { await reader.close() }
    }

    private func discard(_ reader: FetchSession) async {
        await reader.close()
        wakeNext { $0.lent -= 1 }
    }

    @discardableResult
    private func wakeNext<Value>(_ body: (inout State) -> Value) -> Value {
        let (value, waiter) = state.withLock { state in
            (body(&state), state.waiters.isEmpty ? nil : state.waiters.removeFirst())
        }
        waiter?.resume()
        return value
    }
}
