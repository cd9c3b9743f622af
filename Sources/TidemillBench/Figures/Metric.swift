/// One figure of a workload, beside the floor's where there is one.
struct Metric: Codable, Hashable, Sendable {
    enum Value: Codable, Hashable, Sendable {
        case number(Double)
        /// Durations in nanoseconds.
        case spread(Spread)
    }

    var name: String
    var value: Value
    /// Of a number.
    var unit: String
    var floor: Value?
    /// The single rounds behind a mean.
    var samples: [Double] = []

    init(_ name: String, _ value: Double, _ unit: String, floor: Double? = nil, samples: [Double] = []) {
        self.name = name
        self.value = .number(value)
        self.unit = unit
        self.floor = floor.map { .number($0) }
        self.samples = samples
    }

    init(_ name: String, _ spread: Spread, floor: Spread? = nil) {
        self.name = name
        value = .spread(spread)
        unit = "ms"
        self.floor = floor.map { .spread($0) }
    }

    /// Ours as a share of the floor's; nil without a floor, and for spreads.
    var ratio: Double? {
        guard case .number(let ours) = value, case .number(let floor)? = floor, floor > 0 else { return nil }
        return ours / floor
    }
}

/// The usual percentiles of durations.
struct Spread: Codable, Hashable, Sendable {
    var count: UInt64
    /// Nanoseconds.
    var p50: UInt64
    var p95: UInt64
    var p99: UInt64
    var max: UInt64

    init(_ histogram: Histogram) {
        count = histogram.count
        p50 = histogram.percentile(50)
        p95 = histogram.percentile(95)
        p99 = histogram.percentile(99)
        max = histogram.maximum
    }
}

/// What one process used during a workload.
struct ProcessUse: Codable, Hashable, Sendable {
    var name: String
    /// User and system time for each task; nil where the kernel does not tell.
    var cpuMicrosecondsPerTask: Double?
    /// Resident at its peak; nil where the kernel does not tell.
    var peakMebibytes: Double?
}

/// What a workload found.
struct Findings: Sendable {
    /// What is special to it, beside the settings of the run.
    var settings: [String: String] = [:]
    var metrics: [Metric] = []
    var processes: [ProcessUse] = []
    /// What must not happen and did: the result counts as failed.
    var violations: [String] = []
}
