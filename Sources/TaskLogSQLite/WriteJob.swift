internal import TaskLog

/// Something that waits for the writer.
struct WriteJob: Sendable {
    /// Bytes of records that it appends; 0 for anything else.
    var bytes: Int
    /// Does the work inside a transaction. Throws only what ends the whole transaction.
    var run: @Sendable (WriteTransaction) throws(SQLiteFailure) -> Void
    /// Called once, after the commit (nil) or with what prevented it.
    var finish: @Sendable (LogError?) -> Void

    var isAppend: Bool { bytes > 0 }

    static func append(
        _ records: [LogAppend], bytes: Int,
        completion: @escaping @Sendable ([Result<AppendReceipt, LogError>]) -> Void
    ) -> WriteJob {
        let results = ThreadBox<[Result<AppendReceipt, LogError>]>()
        return WriteJob(bytes: bytes) { transaction throws(SQLiteFailure) in
            results.value = try transaction.append(records)
        } finish: { error in
            if let error {
                completion(records.map { _ in .failure(error) })
            } else {
                completion(results.value ?? [])
            }
        }
    }

    /// A job of its own savepoint: what it throws undoes its own work and no other's.
    static func other<Value: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value,
        completion: @escaping @Sendable (Result<Value, LogError>) -> Void
    ) -> WriteJob {
        let result = ThreadBox<Result<Value, LogError>>()
        return WriteJob(bytes: 0) { transaction throws(SQLiteFailure) in
            let connection = transaction.connection
            try connection.execute("SAVEPOINT job")
            do {
                result.value = .success(try body(transaction))
            } catch let failure as SQLiteFailure {
                throw failure
            } catch {
                result.value = .failure(error as? LogError ?? LogError(.other, "\(error)"))
                try connection.execute("ROLLBACK TO job")
            }
            try connection.execute("RELEASE job")
        } finish: { error in
            if let error { return completion(.failure(error)) }
            completion(result.value ?? .failure(LogError(.other, "the job did not run")))
        }
    }
}

/// A value that is written and read on one thread only, or handed over by a queue.
final class ThreadBox<Value>: @unchecked Sendable {
    var value: Value?
}
