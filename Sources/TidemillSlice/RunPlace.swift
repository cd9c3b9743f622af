import Foundation
import Settings
import TidemillHarness

/// Where a run takes place, and the numbers that its processes share. Handed to them as JSON.
struct RunPlace: Codable, Hashable, Sendable {
    typealias Engine = EngineChoice

    /// Holds the file of an embedded log, journals of executions and logs of processes.
    var folder: String
    var engine: Engine
    var prefix: String
    var partitions = 6
    /// Milliseconds.
    var lease: Int64 = 30_000
    /// Kafka's smallest; what a kill costs.
    var session: Int64 = 6000
    /// Handlers at once in one process.
    var concurrency = 4
    /// Of the topics; Kafka's brokers must be as many.
    var replication = 1
    /// Whether a line of the journal of executions survives a power loss too.
    var syncsJournal = false

    init(folder: String, engine: Engine, prefix: String) {
        self.folder = folder
        self.engine = engine
        self.prefix = prefix
    }

    /// While this file exists, no handler fails: the bug is fixed.
    var fixMark: String { folder + "/fixed" }
    var journalFolder: String { folder + "/executions" }
    var logFolder: String { folder + "/logs" }

    /// The process that writes to the embedded log now, by the note beside it.
    var writer: Int32? {
        let note = try? String(contentsOfFile: folder + "/tidemill.db-writer", encoding: .utf8)
        return note?.split(separator: " ").first.flatMap { Int32($0) }
    }

    func makeFolders() throws {
        for path in [journalFolder, logFolder] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
    }

    func configuration(id: String) -> Configuration {
        var configuration = Configuration(
            engine, folder: folder, prefix: prefix, partitions: partitions, controlPartitions: 2,
            replication: replication, id: id)
        configuration.worker.concurrency = concurrency
        configuration.worker.lease = lease
        configuration.worker.sessionTimeout = session
        configuration.scheduler.sessionTimeout = session
        return configuration
    }

    var json: String {
        get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
    }
}
