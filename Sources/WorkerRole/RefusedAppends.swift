/// Appends that the log refused, until they are tried again: all at once, after a pause that grows while it goes on.
struct RefusedAppends: Hashable, Sendable {
    private var appends: [PendingAppend] = []
    private var until: Int64?
    private var pause: Int64?
    /// Too large: each has a time of its own.
    private var stuckAppends: [Stuck] = []

    private struct Stuck: Hashable, Sendable {
        var append: PendingAppend
        var until: Int64
    }

    var count: Int { appends.count + stuckAppends.count }

    var nextTry: Int64? { [until, stuckAppends.first?.until].compactMap { $0 }.min() }

    mutating func add(_ append: PendingAppend, now: Int64, first: Int64) {
        if case .heartbeat = append.purpose { return }
        appends.append(append)
        if until == nil { until = now + (pause ?? first) }
        if pause == nil { pause = first }
    }

    mutating func addStuck(_ append: PendingAppend, until: Int64) {
        stuckAppends.append(Stuck(append: append, until: until))
    }

    /// The log takes records again, or somebody waits: tried after the first pause at the latest, and no longer one next.
    mutating func hasten(now: Int64, first: Int64) {
        pause = nil
        if let until { self.until = min(until, now + first) }
    }

    /// Takes those whose time has come.
    mutating func due(at now: Int64, maximum: Int64) -> [PendingAppend] {
        var due: [PendingAppend] = []
        if let until, until <= now {
            due = appends
            appends = []
            self.until = nil
            pause = pause.map { min(maximum, $0 * 2) }
        }
        while let first = stuckAppends.first, first.until <= now {
            due.append(first.append)
            stuckAppends.removeFirst()
        }
        return due
    }

    mutating func removeAll() {
        appends = []
        stuckAppends = []
        until = nil
    }
}
