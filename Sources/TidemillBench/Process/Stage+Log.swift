import TaskLog
import TaskModel
import TidemillHarness

/// What lies in the log of a stage.
extension Stage {
    private var ledger: [TopicPartition] {
        (0..<Int32(place.partitions)).map { TopicPartition(names.ledger(TopicNames.defaultQueue), $0) }
    }

    /// Records of the ledger: outcomes, and the few notes of rebalances.
    func ledgerCount() async throws -> Int {
        Int(try await log.bounds(of: ledger).values.reduce(0) { $0 + $1.end })
    }

    /// Outcomes so far, one for each event.
    func tally() async throws -> LedgerTally {
        let tally = Collected()
        for partition in ledger {
            try await log.scanAll(partition) { records in
                await tally.add(records)
                return true
            }
        }
        return await tally.value
    }

    /// Waits until the workers' commits say that nothing of the queue is unsettled; fails after a minute.
    func waitForWatermark() async throws {
        let end = BenchClock.monotonic() + 60_000_000_000
        let due = (0..<Int32(place.partitions)).map { TopicPartition(names.due(TopicNames.defaultQueue), $0) }
        let bounds = try await log.bounds(of: due)
        while true {
            try checkAlive()
            let committed = try await log.committed(group: names.workerGroup, partitions: due)
            if bounds.allSatisfy({ committed[$0.key]?.offset ?? 0 >= $0.value.end }) { return }
            guard BenchClock.monotonic() < end else {
                throw HarnessFailure("not all of the queue is settled after a minute\(lastWords)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Waits until so many events have ended, beside those of the warm-up; fails when for `patience` seconds none does.
    /// Returns what the brokers had used when there were as many records, before anybody looked into them.
    @discardableResult
    func waitForEnds(_ count: Int, patience: Int = 30) async throws -> ProcessReading? {
        let count = count + warmUpCount
        var last = -1
        var broker: ProcessReading?
        var told = BenchClock.monotonic()
        var deadline = BenchClock.monotonic()
        while true {
            try checkAlive()
            let now = try await ledgerCount()
            if now >= count {
                broker = broker ?? session.brokerReading()
                if try await tally().ended >= count { return broker }
            }
            if BenchClock.monotonic() - told >= Self.tellingInterval {
                told = BenchClock.monotonic()
                session.progress("\(now) of \(count) have ended")
            }
            if now > last {
                last = now
                deadline = BenchClock.monotonic() + Int64(patience) * 1_000_000_000
            }
            guard BenchClock.monotonic() < deadline else {
                throw HarnessFailure(
                    "\(now) records in the ledger, \(count) wanted, and none more for \(patience) s" + lastWords)
            }
            try await Task.sleep(for: .milliseconds(now >= count ? 100 : 50))
        }
    }

    /// Nanoseconds between two lines about a long wait.
    private static let tellingInterval: Int64 = 2_000_000_000

    private actor Collected {
        private(set) var value = LedgerTally()

        func add(_ records: [LogRecord]) { value.add(records) }
    }
}
