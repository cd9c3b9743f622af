import Synchronization

/// Labels of one time series, for example `["task": "report"]`. Order does not matter.
public typealias MetricLabels = [String: String]

/// A number that only grows.
public final class MetricCounter: Sendable {
    private let count = Atomic<UInt64>(0)
    init() {}
    public func increment(by amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }
    public var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class MetricGauge: Sendable {
    private let bits = Atomic<UInt64>(0)
    init() {}
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
    public func set(_ value: Int) { set(Double(value)) }
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// Counts of observations by upper bound, with sum and count (a Prometheus histogram). Durations are seconds.
public final class MetricHistogram: Sendable {
    struct Cells: Sendable {
        var counts: [UInt64]
        var sum = 0.0
        var count: UInt64 = 0

        mutating func add(_ value: Double, at index: Int) {
            counts[index] += 1
            sum += value
            count += 1
        }
    }

    /// From 1 ms to one hour, about three bounds a decade.
    public static let durationBounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600,
    ]

    let bounds: [Double]
    private let cells: Mutex<Cells>

    init(bounds: [Double]) {
        self.bounds = bounds
        cells = Mutex(Cells(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    public func observe(_ value: Double) {
        let index = index(of: value)
        cells.withLock { $0.add(value, at: index) }
    }

    public func observe(milliseconds: Int64) { observe(Double(milliseconds) / 1000) }

    /// Many at once, for the price of one lock.
    public func observe(milliseconds values: [Int64]) {
        cells.withLock { cells in
            for milliseconds in values {
                let value = Double(milliseconds) / 1000
                cells.add(value, at: index(of: value))
            }
        }
    }

    private func index(of value: Double) -> Int { bounds.firstIndex { value <= $0 } ?? bounds.count }

    var snapshot: Cells { cells.withLock { $0 } }
}

/// All series of a process. A series is made once and kept by the code that counts: no look-up on a hot path.
public final class MetricsRegistry: Sendable {
    enum Series: Sendable {
        case counter(MetricCounter)
        case gauge(MetricGauge)
        case histogram(MetricHistogram)
    }

    struct Family: Sendable {
        var help: String
        var series: [MetricLabels: Series] = [:]
    }

    private let families = Mutex<[String: Family]>([:])

    public init() {}

    /// The counter of this name and these labels, made at the first call. Names follow Prometheus' rules (`tidemill_…_total`).
    public func counter(_ name: String, help: String, labels: MetricLabels = [:]) -> MetricCounter {
        guard case .counter(let counter) = series(name, help, labels, make: { .counter(MetricCounter()) })
        else { preconditionFailure("metric \(name) was registered as another kind") }
        return counter
    }

    public func gauge(_ name: String, help: String, labels: MetricLabels = [:]) -> MetricGauge {
        guard case .gauge(let gauge) = series(name, help, labels, make: { .gauge(MetricGauge()) })
        else { preconditionFailure("metric \(name) was registered as another kind") }
        return gauge
    }

    public func histogram(
        _ name: String, help: String, labels: MetricLabels = [:], bounds: [Double] = MetricHistogram.durationBounds
    ) -> MetricHistogram {
        guard
            case .histogram(let histogram) = series(
                name, help, labels, make: { .histogram(MetricHistogram(bounds: bounds)) })
        else { preconditionFailure("metric \(name) was registered as another kind") }
        return histogram
    }

    /// Ends a series, for example of a partition that this process does not own any more.
    public func remove(_ name: String, labels: MetricLabels) {
        families.withLock { $0[name]?.series[labels] = nil }
    }

    var snapshot: [String: Family] { families.withLock { $0 } }

    private func series(_ name: String, _ help: String, _ labels: MetricLabels, make: () -> Series) -> Series {
        families.withLock { families in
            if let existing = families[name]?.series[labels] { return existing }
            let new = make()
            families[name, default: Family(help: help)].series[labels] = new
            return new
        }
    }
}
