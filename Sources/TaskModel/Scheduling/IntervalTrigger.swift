/// Every so many milliseconds: on the grid of the epoch, or counted from an anchor.
public struct IntervalTrigger: Hashable, Sendable {
    /// What the first nominal time of an anchored interval is.
    public enum First: String, Hashable, Sendable, Codable, CaseIterable {
        /// The anchor itself (and the delay).
        case immediately
        /// One interval later.
        case wait
    }

    public var milliseconds: Int64
    /// Nil: the multiples of the length since the epoch, the same for everybody.
    public var anchor: Timestamp?
    /// Added to the anchor, in milliseconds. Default 0.
    public var delay: Int64
    public var first: First
    /// How many nominal times there are in all; nil is no end.
    public var repetitions: Int?

    public init(
        milliseconds: Int64, anchor: Timestamp? = nil, delay: Int64 = 0, first: First = .immediately,
        repetitions: Int? = nil
    ) {
        self.milliseconds = milliseconds
        self.anchor = anchor
        self.delay = delay
        self.first = first
        self.repetitions = repetitions
    }

    /// Why it is refused; nil when it is fine.
    public var problem: TriggerError? {
        guard (Trigger.shortestInterval...Trigger.longestInterval).contains(milliseconds) else {
            return TriggerError(
                field: "every",
                message: "\(milliseconds) ms; accepted are \(Trigger.shortestInterval) ms to 100 years")
        }
        guard (0...Trigger.longestInterval).contains(delay) else {
            return TriggerError(field: "delay", message: "\(delay) ms; accepted are 0 to 100 years")
        }
        if let repetitions, repetitions < 1 {
            return TriggerError(field: "repetitions", message: "\(repetitions); accepted are numbers from 1 on")
        }
        if anchor == nil {
            let names = [
                delay == 0 ? nil : "delay", first == .immediately ? nil : "first",
                repetitions == nil ? nil : "repetitions",
            ].compactMap { $0 }
            if let name = names.first {
                return TriggerError(field: name, message: "it counts from an anchor, and there is none")
            }
        }
        return nil
    }

    /// The first nominal time of all; nil on the epoch's grid, which has none.
    private var origin: Timestamp? {
        anchor.map { $0 + delay + (first == .wait ? milliseconds : 0) }
    }

    /// The nominal times up to `time`, counted from the origin; on the epoch's grid those since the epoch.
    private func count(through time: Timestamp) -> Int64 {
        let steps = (time - (origin ?? .epoch)).flooredDivision(by: milliseconds).quotient + 1
        return origin == nil ? steps : max(0, min(steps, repetitions.map { Int64($0) } ?? .max))
    }

    func next(after time: Timestamp) -> Timestamp? {
        let count = count(through: time)
        if let repetitions, count >= Int64(repetitions) { return nil }
        let (distance, overflow) = count.multipliedReportingOverflow(by: milliseconds)
        guard !overflow else { return nil }
        let next = (origin ?? .epoch) + distance
        return next > time && next < .distantFuture ? next : nil
    }

    /// As ``Trigger/occurrences(after:through:limit:)``, without walking.
    func occurrences(after start: Timestamp, through end: Timestamp) -> Occurrences? {
        guard let first = next(after: start), first <= end else { return nil }
        let more = count(through: end) - count(through: first)
        return Occurrences(count: Int(more) + 1, first: first, last: first + more * milliseconds)
    }
}
