import Synchronization
import TaskModel
import WorkerRole

/// Collects what a worker process sees, at the price of one atomic load for an event that is not measured.
final class StartRecorder: Sendable {
    private struct State {
        var summary = WorkerSummary()
        /// Measured and not settled yet.
        var pending: [Fingerprint: (bucket: Int, reference: Int64)] = [:]
    }

    private let hasStarted = Atomic<Bool>(false)
    private let state = Mutex(State())
    private let tracksSettling: Bool

    init(tracksSettling: Bool) { self.tracksSettling = tracksSettling }

    var summary: WorkerSummary { state.withLock(\.summary) }

    func started() {
        guard !hasStarted.load(ordering: .relaxed), !hasStarted.exchange(true, ordering: .relaxed) else { return }
        let now = BenchClock.wall()
        let used = ProcessReading.own().cpuMicroseconds
        state.withLock { state in
            state.summary.firstStart = now
            state.summary.firstStartCPU = used
        }
    }

    /// Attempts beyond the first go to the bucket behind the one that is named.
    func measure(_ order: WorkOrder, _ event: TaskEvent) {
        let (now, reference): (Int64, Int64)
        switch order.clock {
        case .none: return
        case .monotonic: (now, reference) = (BenchClock.monotonic(), order.reference)
        case .wall: (now, reference) = (BenchClock.wall(), order.reference)
        case .nominal: (now, reference) = (BenchClock.wall(), (event.nominalTime?.milliseconds ?? 0) * 1_000_000)
        case .due:
            guard let due = event.dueAt else { return }
            (now, reference) = (BenchClock.wall(), due.milliseconds * 1_000_000)
        }
        let bucket = Int(order.bucket) + (event.attempt > 1 ? 1 : 0)
        state.withLock { state in
            if now < reference { state.summary.buckets[bucket, default: .init()].early += 1 }
            state.summary.buckets[bucket, default: .init()].toStart.record(UInt64(max(0, now - reference)))
            if let nominal = event.nominalTime { state.summary.nominal[nominal.milliseconds, default: 0] += 1 }
            if tracksSettling, order.clock == .monotonic { state.pending[event.fingerprint] = (bucket, reference) }
        }
    }

    func heard(_ report: WorkerReport) {
        switch report {
        case .opened(let partition, _, _): ChildLine.write(ChildLine.opened, "\(BenchClock.monotonic()) \(partition)")
        case .settled(let coordinate, _, _, _, _, _) where tracksSettling:
            let now = BenchClock.monotonic()
            state.withLock { state in
                guard let (bucket, reference) = state.pending.removeValue(forKey: coordinate.fingerprint) else {
                    return
                }
                state.summary.buckets[bucket, default: .init()].toSettled.record(UInt64(max(0, now - reference)))
            }
        default: break
        }
    }
}
