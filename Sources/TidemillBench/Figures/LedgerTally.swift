import TaskLog
import TaskModel

/// The ends of events, as the ledger tells them.
struct LedgerTally: Sendable {
    private var fingerprints: Set<Fingerprint> = []
    /// Ends beyond one for an event.
    private(set) var repeated = 0
    /// Turns that another one followed.
    private(set) var again = 0
    private(set) var unreadable = 0
    /// Broker time of each end.
    private(set) var times: [Timestamp] = []

    var ended: Int { fingerprints.count }
    var lastEnd: Timestamp? { times.max() }

    mutating func add(_ records: [LogRecord]) {
        for record in records {
            guard let entry = LedgerRecord(key: record.key, value: record.value) else {
                unreadable += 1
                continue
            }
            let fingerprint = entry.coordinate.fingerprint
            guard fingerprint != BenchPlace.firstEvent, case .outcome(let detail) = entry.body else { continue }
            guard detail.outcome.outcomeClass != .again else {
                again += 1
                continue
            }
            if fingerprints.insert(fingerprint).inserted {
                times.append(record.timestamp)
            } else {
                repeated += 1
            }
        }
    }

    /// Ends a second, for each full stretch of so many seconds from the first end on.
    func rates(every seconds: Int) -> [Double] {
        guard let first = times.min(), let last = times.max() else { return [] }
        let length = Int64(seconds) * 1000
        var counts = [Int](repeating: 0, count: Int((last - first) / length))
        for time in times {
            let stretch = Int((time - first) / length)
            if stretch < counts.count { counts[stretch] += 1 }
        }
        return counts.map { Double($0) / Double(seconds) }
    }

    /// Ends a second from `start` to the end of the first `count` events since (all when nil); 0 when there are fewer.
    func rate(since start: Timestamp, ends count: Int? = nil) -> Double {
        let times = times.filter { $0 >= start }.sorted()
        let count = count ?? times.count
        guard count > 0, count <= times.count else { return 0 }
        return Double(count) * 1000 / Double(max(1, times[count - 1] - start))
    }
}
