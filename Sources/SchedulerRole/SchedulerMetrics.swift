package import TaskTelemetry

/// The scheduler's series.
package struct SchedulerMetrics: Sendable {
    /// Why an event was emitted.
    package enum Cause: Int, Sendable, CaseIterable {
        case waiting, fire, manual

        var label: String { "\(self)" }
    }

    /// By the place of the cause among all.
    private let emittedByCause: [MetricCounter]
    private let commandsByResult: [String: MetricCounter]
    /// Seconds from the due time to the durable event.
    package let lateness: MetricHistogram
    package let waiting: MetricGauge
    package let schedules: MetricGauge
    /// Waiting events and schedules that wait for a queue's topic.
    package let parked: MetricGauge
    /// 1 while fires are held because of the clock.
    package let clockHold: MetricGauge
    package let misfires: MetricCounter
    package let cancelled: MetricCounter
    package let undecodable: MetricCounter
    package let appendFailures: MetricCounter

    package init(_ registry: MetricsRegistry) {
        emittedByCause = Cause.allCases.map {
            registry.counter(
                "tidemill_scheduler_emitted_total", help: "Events emitted to due topics.", labels: ["cause": $0.label])
        }
        commandsByResult = Dictionary(
            uniqueKeysWithValues: ["applied", "conflict", "refused"].map {
                (
                    $0,
                    registry.counter(
                        "tidemill_scheduler_commands_total", help: "Commands answered.", labels: ["result": $0])
                )
            })
        lateness = registry.histogram(
            "tidemill_scheduler_lateness_seconds", help: "From an event's due time until it is durable.")
        waiting = registry.gauge("tidemill_scheduler_waiting", help: "Events whose time has not come.")
        schedules = registry.gauge("tidemill_scheduler_schedules", help: "Schedules owned by this scheduler.")
        parked = registry.gauge(
            "tidemill_scheduler_parked", help: "Events and schedules that wait for a queue's topic to exist.")
        clockHold = registry.gauge(
            "tidemill_scheduler_clock_hold", help: "1 while fires are held: the clock is ahead of the broker's.")
        misfires = registry.counter(
            "tidemill_scheduler_misfires_total", help: "Nominal times that were dropped for good.")
        cancelled = registry.counter(
            "tidemill_scheduler_cancelled_total", help: "Waiting events dropped by a cancel marker.")
        undecodable = registry.counter(
            "tidemill_scheduler_undecodable_total", help: "Records of retry and commands that cannot be read.")
        appendFailures = registry.counter(
            "tidemill_scheduler_append_failures_total", help: "Appends that failed; retriable ones are sent again.")
    }

    package func emitted(_ cause: Cause) -> MetricCounter { emittedByCause[cause.rawValue] }

    func answered(_ word: String) -> MetricCounter? { commandsByResult[word] }
}
