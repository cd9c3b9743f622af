/// This software's version, as heartbeats, `--version` and user agents show it.
public enum TidemillVersion {
    public static let current = "0.1.0"
}

/// A heartbeat in the `workers` topic, keyed by `worker`. A tombstone means that it left in good order.
public struct WorkerStatus: Hashable, Sendable, Codable {
    /// Worker id and boot nonce.
    public var worker: String
    /// `worker` or `scheduler`.
    public var role: String
    public var version: String
    public var host: String
    public var processID: Int32
    /// Open partitions, as `topic[partition]`.
    public var partitions: [String]
    /// Attempts that run now.
    public var running: Int
    public var concurrency: Int
    /// By the worker's clock; the record's broker time beside it shows the skew.
    public var at: Timestamp

    public init(
        worker: String, role: String, version: String, host: String, processID: Int32, partitions: [String],
        running: Int,
        concurrency: Int, at: Timestamp
    ) {
        self.worker = worker
        self.role = role
        self.version = version
        self.host = host
        self.processID = processID
        self.partitions = partitions
        self.running = running
        self.concurrency = concurrency
        self.at = at
    }
}
