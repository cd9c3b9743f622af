/// How the embedded log behaves. All limits have defaults that suit one machine.
package struct SQLiteLogConfiguration: Hashable, Sendable {
    /// What tells the handles of one file that something changed.
    package struct WakePaths: OptionSet, Hashable, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        /// A direct call between the handles of one process.
        package static let inProcess = WakePaths(rawValue: 1)
        /// A datagram to each other handle of the file, in any process of the machine.
        package static let socket = WakePaths(rawValue: 2)
    }

    /// How long a write waits for another process's lock before it fails with `unavailable`. Default 10 s.
    package var lockTimeoutMilliseconds = 10_000
    /// When a waiting write first logs who holds the lock. Default 1 s.
    package var lockWarningMilliseconds = 1000
    /// Most bytes of appends in one transaction; the rest goes into the next. Default 16 MiB.
    package var maximumCommitBytes = 16 << 20
    /// Most bytes of appends that wait for the writer; further callers wait for room. Default 64 MiB.
    package var maximumWaitingBytes = 64 << 20
    /// Most bytes of records in one batch of a read (one record may exceed it). Default 1 MiB.
    package var maximumReadBatchBytes = 1 << 20
    /// Most records in one batch of a scan. Default 4096.
    package var maximumReadBatchRecords = 4096
    /// Threads that read. Default 2.
    package var readers = 2
    /// How often a handle looks at the file although nobody woke it, which covers a lost datagram. Default 1 s.
    package var fallbackTickMilliseconds = 1000
    /// Which ways to wake others are used. Default both; the tick is always there.
    package var wakePaths: WakePaths = [.inProcess, .socket]
    /// How often retention and compaction are looked at; nil: only on demand. Default 30 s.
    package var maintenanceIntervalMilliseconds: Int64? = 30_000
    /// Most records that one transaction of retention or compaction deletes. Default 2000.
    package var maintenanceBiteRecords = 2000
    /// How long `close` works off what waits before it gives up on it. Default 5 s.
    package var closeTimeoutMilliseconds = 5000
    /// The file may not grow beyond this many pages; nil: only the disk limits it. Default nil.
    package var maximumPages: Int?
    /// Names this boot of the machine; nil asks the system. Set by tests.
    package var bootID: String?

    package init() {}
}
