package import TaskLog
internal import TaskModel

/// Deletion from the front of a partition: on request, and by age.
///
/// The first offset moves in one step, and readers keep to it at once; the rows below it then go in bites, so that no
/// transaction holds up the appends for long. What a crash leaves below the first offset goes with the next round.
extension SQLiteTaskLog {
    /// Deletes all records below `offset`. Throws `offsetOutOfRange` for one past the end.
    package func trim(_ partition: TopicPartition, before offset: Int64) async throws {
        try checkOpen()
        let id = try await writer.transact { transaction in
            let id = try transaction.catalog.id(of: partition, in: transaction.connection)
            let end = try RecordReader.bounds(id, in: transaction.connection).end
            guard offset <= end else {
                throw LogError(.offsetOutOfRange, "trim of \(partition) before \(offset), but it ends at \(end)")
            }
            try Self.moveFirstOffset(of: id, to: offset, transaction)
            return id
        }
        try await deleteTrimmed(id)
    }

    /// Deletes the records that are older than so many milliseconds of wall time by their broker time.
    func retain(_ topic: TopicInfo, milliseconds: Int64) async throws {
        let horizon = time.now() - milliseconds
        for id in topic.partitionIDs {
            let (offset, start) = try await readers.read { connection in
                (
                    try RecordReader.offset(for: horizon, id, in: connection),
                    try RecordReader.bounds(id, in: connection).start
                )
            }
            guard offset > start else { continue }
            try await writer.transact { try Self.moveFirstOffset(of: id, to: offset, $0) }
            try await deleteTrimmed(id)
        }
    }

    /// Deletes the rows below the first offset, bite by bite.
    func deleteTrimmed(_ partitionID: Int64) async throws {
        let bite = Int64(configuration.maintenanceBiteRecords)
        // A look that takes no lock: usually there is nothing.
        let hasRows = try await readers.read { connection in
            let first = try RecordReader.bounds(partitionID, in: connection).start
            return try connection.integer(
                "SELECT id FROM record WHERE id >= ? AND id < ? LIMIT 1", Schema.rowID(partitionID, 0),
                Schema.rowID(partitionID, first)) != nil
        }
        guard hasRows else { return }
        var isDone = false
        while !isDone {
            try Task.checkCancellation()
            isDone = try await writer.transact { transaction in
                try Self.deleteBite(partitionID, bite, transaction.connection)
            }
        }
    }

    private static func moveFirstOffset(
        of partitionID: Int64, to offset: Int64, _ transaction: WriteTransaction
    ) throws(SQLiteFailure) {
        // Never back, and never past the end: appends may have come since the caller looked.
        try transaction.connection.run(
            "UPDATE partition SET first_offset = min(max(first_offset, ?), end_offset) WHERE id = ?", offset,
            partitionID)
    }

    /// True when nothing is left below the first offset.
    private static func deleteBite(
        _ partitionID: Int64, _ bite: Int64, _ connection: SQLiteConnection
    ) throws(SQLiteFailure) -> Bool {
        let bottom = Schema.rowID(partitionID, 0)
        let first = try RecordReader.bounds(partitionID, in: connection).start
        let top = Schema.rowID(partitionID, first)
        let edge = try connection.integer(
            "SELECT id FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?", bottom, top, bite)
        try connection.run("DELETE FROM record WHERE id >= ? AND id < ?", bottom, edge ?? top)
        return edge == nil
    }
}
