package import TaskModel

/// One reading of both clocks.
package struct ClockReading: Hashable, Sendable {
    /// Wall time; it may step.
    package var wall: Timestamp
    /// Milliseconds that only go forward.
    package var uptime: Int64

    package init(wall: Timestamp, uptime: Int64) {
        self.wall = wall
        self.uptime = uptime
    }
}

/// Is our wall clock ahead of the broker's? Judged from acknowledgements, which carry the broker's time.
///
/// A broker stamps a record after we sent it, so (wall at sending − stamp) never exceeds the true lead: a slow broker
/// cannot make us hold, only a wrong clock can. Between acknowledgements the broker's time is carried on by uptime,
/// which does not step, so a step of our wall clock is seen at the next look, before anything fires by it.
struct ClockGuard: Sendable {
    enum Verdict: Hashable, Sendable {
        /// No acknowledgement yet: nothing may fire.
        case unknown
        case agrees
        case ahead(milliseconds: Int64)
    }

    let maximumLead: Int64
    /// Broker time minus our uptime.
    private var brokerOverUptime: Int64?

    init(maximumLead: Int64) {
        self.maximumLead = maximumLead
    }

    mutating func acknowledged(_ stamp: Timestamp, sent: ClockReading) {
        brokerOverUptime = stamp.milliseconds - sent.uptime
    }

    /// The broker's time, carried on from the last acknowledgement; nil before the first.
    func brokerTime(_ now: ClockReading) -> Timestamp? {
        brokerOverUptime.map { Timestamp(milliseconds: now.uptime + $0) }
    }

    func judge(_ now: ClockReading) -> Verdict {
        guard let brokerTime = brokerTime(now) else { return .unknown }
        let lead = now.wall - brokerTime
        return lead > maximumLead ? .ahead(milliseconds: lead) : .agrees
    }
}
