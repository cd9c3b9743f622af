import TaskLog
import TaskModel
import TaskTelemetry
import Tidemill
import TidemillHarness

/// The ledger's fold by itself, and its restore from the log.
enum LedgerProbe {
    static let insert = "insert"
    static let lookup = "look-up"
    static let bytes = "bytes"
    static let restore = "restore"

    /// Nanoseconds of an insert and of a look-up (one half of them finds nothing), and bytes of an entry.
    static func fold(entries: Int) throws -> [String: Double] {
        var fold = LedgerFold(maximumEntries: entries)
        let time = Timestamp(milliseconds: 1_800_000_000_000)
        var random = SplitMix64(seed: 1)
        var start = BenchClock.monotonic()
        for _ in 0..<entries {
            _ = fold.apply(outcome(Fingerprint(high: random.next(), low: random.next())), time: time)
        }
        var figures = [insert: Double(BenchClock.monotonic() - start) / Double(entries)]
        var known = SplitMix64(seed: 1)
        var found = 0
        start = BenchClock.monotonic()
        for index in 0..<entries {
            let fingerprint =
                index % 2 == 0
                ? Fingerprint(high: known.next(), low: known.next())
                : Fingerprint(high: random.next(), low: random.next())
            if case .stale = fold.judge(Coordinate(fingerprint: fingerprint, replay: 0, turn: 1)) { found += 1 }
        }
        figures[lookup] = Double(BenchClock.monotonic() - start) / Double(entries)
        guard found == (entries + 1) / 2, fold.decidedCount == entries else {
            throw HarnessFailure("\(fold.decidedCount) of \(entries) entries are there, \(found) were found")
        }
        figures[bytes] = Double(fold.decidedByteCount) / Double(entries)
        return figures
    }

    /// Fills the ledger with outcomes, then reads, decodes and folds it, all partitions at once, as a worker does that takes
    /// them over. `use` is that of the reading.
    static func restore(_ place: BenchPlace, records: Int) async throws -> (
        figures: [String: Double], use: ProcessReading
    ) {
        let installation = try await Installation.open(
            place.configuration(id: "probe"), logger: Logger(level: .warning, sink: JSONLogSink()))
        let log = installation.log
        let topic = installation.configuration.topicPlan.names.ledger(TopicNames.defaultQueue)
        var random = SplitMix64(seed: 2)
        for start in stride(from: 0, to: records, by: 2000) {
            let batch = (start..<min(records, start + 2000)).map { _ in
                let record = outcome(Fingerprint(high: random.next(), low: random.next()))
                let key = record.coordinate.fingerprint.bytes
                return LogAppend(
                    topic: topic, partition: Murmur2.partition(of: key, count: Int32(place.partitions)), key: key,
                    value: record.encoded(), headers: [])
            }
            for result in await log.append(batch) { _ = try result.get() }
        }
        let before = ProcessReading.own()
        let start = BenchClock.monotonic()
        let restored = try await withThrowingTaskGroup(of: Int.self) { group in
            for partition in 0..<Int32(place.partitions) {
                group.addTask {
                    let folded = Folded()
                    try await log.scanAll(TopicPartition(topic, partition)) { records in
                        try await folded.add(records)
                        return true
                    }
                    return await folded.fold.decidedCount
                }
            }
            return try await group.reduce(0, +)
        }
        let seconds = Double(BenchClock.monotonic() - start) / 1e9
        var use = ProcessReading.own()
        use.cpuMicroseconds -= before.cpuMicroseconds
        await log.close()
        guard restored == records else { throw HarnessFailure("\(restored) of \(records) records were restored") }
        return ([restore: Double(records) / seconds], use)
    }

    private actor Folded {
        private(set) var fold = LedgerFold()

        func add(_ records: [LogRecord]) throws {
            for record in records {
                guard let key = record.key, let fingerprint = Fingerprint(bytes: key), let value = record.value else {
                    continue
                }
                _ = fold.apply(try LedgerRecord(fingerprint: fingerprint, value: value), time: record.timestamp)
            }
        }
    }

    /// As a worker writes it of a task that went well.
    private static func outcome(_ fingerprint: Fingerprint) -> LedgerRecord {
        let time = Timestamp(milliseconds: 1_800_000_000_000)
        return LedgerRecord(
            coordinate: Coordinate(fingerprint: fingerprint, replay: 0, turn: 1), attempt: 1, laneHash: nil,
            worker: "worker1/4f2a91c3", body: .outcome(OutcomeDetail(.completed, startedAt: time, endedAt: time)))
    }
}
