import Settings
import TaskModel
import TidemillHarness

/// Where a workload takes place, and what its processes share.
struct BenchPlace: Codable, Hashable, Sendable {
    /// The task of all events.
    static let task = "bench"
    /// Of the event with which every publisher begins.
    static let firstEvent = Fingerprint(high: 0x7469_6465_6d69_6c6c, low: 0)

    /// Holds the file of an embedded log, and logs of processes.
    var folder: String
    var engine: EngineChoice
    var prefix: String
    var partitions: Int
    /// Handlers at once in one process.
    var concurrency: Int

    func configuration(id: String) -> Configuration {
        var configuration = Configuration(
            engine, folder: folder, prefix: prefix, partitions: partitions, controlPartitions: 4, id: id)
        configuration.worker.concurrency = concurrency
        return configuration
    }
}
