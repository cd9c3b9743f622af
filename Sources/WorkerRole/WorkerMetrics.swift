import Synchronization
internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

/// A worker's series. The machine counts in plain numbers; each round of the loop publishes the differences.
final class WorkerMetrics: Sendable {
    private struct OutcomeKey: Hashable {
        var task: String
        var outcome: Outcome
    }

    private struct State {
        var last = WorkerCounters()
        var outcomes: [OutcomeKey: MetricCounter] = [:]
        var latest: (OutcomeKey, MetricCounter)?
        var durations: [String: MetricHistogram] = [:]
        var gauges: Set<TopicPartition> = []
    }

    private let registry: MetricsRegistry
    private let state = Mutex(State())
    private let lateness: MetricHistogram
    private let running: MetricGauge
    private let totals: [(keyPath: KeyPath<WorkerCounters, UInt64> & Sendable, counter: MetricCounter)]

    init(registry: MetricsRegistry) {
        self.registry = registry
        lateness = registry.histogram("tidemill_start_lateness_seconds", help: "From due to start.")
        running = registry.gauge("tidemill_running_attempts", help: "Attempts that run now.")
        func total(_ name: String, _ help: String) -> MetricCounter {
            registry.counter("tidemill_\(name)_total", help: help)
        }
        totals = [
            (\.received, total("events_received", "Due records read.")),
            (\.started, total("attempts_started", "Attempts started.")),
            (\.stale, total("events_stale", "Events that the ledger had settled already.")),
            (\.duplicates, total("events_duplicate", "Records of an event that is at work already.")),
            (\.redone, total("effects_redone", "Effects done again after a takeover.")),
            (\.forwarded, total("events_forwarded", "Records moved to their partition.")),
            (\.leased, total("leases_awaited", "Turns that another worker finishes under a lease.")),
            (\.reattached, total("leases_reattached", "Own leases that came back.")),
            (\.timeouts, total("attempts_timed_out", "Attempts past their timeout.")),
            (\.undecodable, total("events_undecodable", "Records that could not be read.")),
            (\.appendFailures, total("append_failures", "Appends that the log refused.")),
            (\.stuck, total("appends_stuck", "Refusals of a record as too large that nothing smaller can stand for.")),
        ]
    }

    func started(_ starts: [AttemptStart], now: Timestamp) {
        lateness.observe(
            milliseconds: starts.compactMap { start in
                (start.facts.event.dueAt ?? start.facts.event.publishedAt).map { max(0, now - $0) }
            })
    }

    func ended(_ attempts: [EndedAttempt]) {
        var rest = attempts[...]
        while let task = rest.first?.task {
            let run = rest.prefix { $0.task == task }
            duration(of: task).observe(milliseconds: run.map(\.elapsed))
            rest = rest[run.endIndex...]
        }
    }

    private func duration(of task: String) -> MetricHistogram {
        state.withLock { state in
            if let known = state.durations[task] { return known }
            let histogram = registry.histogram(
                "tidemill_attempt_duration_seconds", help: "Duration of attempts.", labels: ["task": task])
            state.durations[task] = histogram
            return histogram
        }
    }

    func count(_ report: WorkerReport) {
        guard case .settled(_, let task, let outcome, _, _, _) = report else { return }
        let counter = state.withLock { state in
            // Mostly as the one before.
            if let (key, counter) = state.latest, key.outcome == outcome, key.task == task { return counter }
            let key = OutcomeKey(task: task, outcome: outcome)
            let counter =
                state.outcomes[key]
                ?? registry.counter(
                    "tidemill_outcomes_total", help: "Turns by task and outcome.",
                    labels: ["task": task, "outcome": outcome.word])
            state.outcomes[key] = counter
            state.latest = (key, counter)
            return counter
        }
        counter.increment()
    }

    func publish(_ machine: WorkerStateMachine) {
        let counters = machine.counters
        let last = state.withLock { state in
            defer { state.last = counters }
            return state.last
        }
        for (keyPath, counter) in totals where counters[keyPath: keyPath] != last[keyPath: keyPath] {
            counter.increment(by: counters[keyPath: keyPath] - last[keyPath: keyPath])
        }
        running.set(machine.runningCount)
    }

    /// Only of partitions that are open now: a late answer must not bring a series back.
    func lag(_ partition: TopicPartition, records: Int64) {
        guard state.withLock({ $0.gauges.contains(partition) }) else { return }
        gauge("tidemill_lag_records", "Records from the watermark to the log's end.", partition).set(Double(records))
    }

    /// Sets the gauges of the open partitions and ends those of partitions that went.
    func gauges(_ machine: WorkerStateMachine, now: Timestamp) {
        let statuses = machine.partitionStatus
        let open = Set(statuses.map(\.partition))
        let gone = state.withLock { state in
            defer { state.gauges = open }
            return state.gauges.subtracting(open)
        }
        for partition in gone {
            for name in Self.partitionGauges { registry.remove(name, labels: labels(partition)) }
        }
        for status in statuses {
            gauge("tidemill_holes", "Unsettled records above the watermark.", status.partition).set(status.holes)
            gauge("tidemill_watermark_age_seconds", "Age of the lowest unsettled record.", status.partition)
                .set(status.holes == 0 ? 0 : Double(max(0, now - status.watermarkTime)) / 1000)
            gauge("tidemill_dedup_window_seconds", "How far back equal events are recognised.", status.partition)
                .set(Double(status.dedupWindow) / 1000)
        }
    }

    private static let partitionGauges = [
        "tidemill_holes", "tidemill_watermark_age_seconds", "tidemill_dedup_window_seconds", "tidemill_lag_records",
    ]

    private func labels(_ partition: TopicPartition) -> MetricLabels {
        ["topic": partition.topic, "partition": "\(partition.partition)"]
    }

    private func gauge(_ name: String, _ help: String, _ partition: TopicPartition) -> MetricGauge {
        registry.gauge(name, help: help, labels: labels(partition))
    }
}
