import TaskModel

/// A schedule with `catchUp: all` and the stretch of time that it has decided: each nominal time in it must have fired.
struct ScheduleRange: Hashable, Sendable {
    var id: String
    var trigger: Trigger
    /// Creation; the first nominal time comes after it.
    var after: Timestamp
    /// The cursor.
    var through: Timestamp

    /// Every nominal time that must have fired, ascending.
    var nominalTimes: [Timestamp] {
        var times: [Timestamp] = []
        var last = after
        while let next = trigger.next(after: last), next <= through {
            times.append(next)
            last = next
        }
        return times
    }

    func fingerprint(of nominal: Timestamp) -> Fingerprint {
        Fingerprint(.scheduled(scheduleID: id, nominalTime: nominal))
    }

    var fingerprints: Set<Fingerprint> { Set(nominalTimes.map(fingerprint(of:))) }
}

/// A nominal time of a schedule, as a finding.
struct NominalTime: Hashable, Sendable, CustomStringConvertible {
    var schedule: String
    var time: Timestamp

    var description: String { "\(schedule)@\(time.rfc3339)" }
}
