internal import TaskLog

/// A few threads that read, each with a connection of its own, so that no read of the disk blocks Swift's pool.
///
/// Bounded: every caller waits for its read.
final class ReaderPool: Sendable {
    private typealias Job = @Sendable (Result<SQLiteConnection, LogError>) -> Void

    private let connections: Connections
    private let queue = BlockingQueue<Job>()

    init(connections: Connections) {
        self.connections = connections
    }

    func start(in crew: Crew) {
        for number in 0..<max(1, connections.configuration.readers) {
            let queue = queue
            let connections = connections
            crew.start("tidemill-reader-\(number)") {
                var connection: SQLiteConnection?
                while let job = queue.take() {
                    do throws(LogError) {
                        let opened: SQLiteConnection
                        if let connection { opened = connection } else { opened = try connections.openReader() }
                        connection = opened
                        job(.success(opened))
                    } catch {
                        job(.failure(error))
                    }
                }
            }
        }
    }

    /// Runs `body` on a reader's thread.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws -> Value
    ) async throws -> Value {
        let path = connections.file.path
        return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let isTaken = queue.push { connection in
                do {
                    continuation.resume(returning: try body(try connection.get()))
                } catch let failure as SQLiteFailure {
                    continuation.resume(throwing: LogError(failure, path: path, action: "read"))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            if !isTaken { continuation.resume(throwing: LogError(.closed, "the embedded log is closed")) }
        }
    }

    /// Refuses further reads; the threads end after those that wait.
    func close() { queue.close() }
}
