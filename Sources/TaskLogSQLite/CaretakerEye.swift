internal import TaskLog

/// The caretaker's view of the file: reads it only when another connection has committed since the last look.
///
/// Used on the caretaker's thread only.
final class CaretakerEye: @unchecked Sendable {
    private let connections: Connections
    private var connection: SQLiteConnection?
    private var dataVersion: Int64?
    /// As of the last look.
    private(set) var revisions: [String: GroupRevision] = [:]

    init(connections: Connections) { self.connections = connections }

    /// Ends by partition id when something has changed.
    func look() -> [Int64: Int64]? {
        do {
            let connection = try connection ?? connections.openReader()
            self.connection = connection
            let version = try connection.integer("PRAGMA data_version")
            guard version != dataVersion else { return nil }
            let ends = try RecordReader.ends(in: connection)
            revisions = try GroupStore.revisions(in: connection)
            dataVersion = version
            return ends
        } catch {
            connections.logger.warning(
                "the caretaker cannot read the log; it looks again at the next tick", ["error": "\(error)"])
            return nil
        }
    }

    func close() { connection = nil }
}
