/// Nominal times that a trigger leaves out.
public enum Exclusion: Hashable, Sendable {
    /// Whole local days.
    case dates(Set<LocalDate>, zone: ZoneTable)
    /// From one instant until before another.
    case range(from: Timestamp, until: Timestamp)
    /// The very instants that this trigger names.
    case trigger(Trigger)

    /// If `time` is left out: the last instant that certainly is, too, so that the search goes on after it. Nil if not.
    func lastExcluded(from time: Timestamp, _ effort: inout SearchEffort) -> Timestamp? {
        switch self {
        case .range(let from, let until): return from <= time && time < until ? until - 1 : nil
        case .trigger(let trigger): return trigger.next(after: time - 1, &effort) == time ? time : nil
        case .dates(let dates, let zone):
            let date = zone.date(at: time)
            guard dates.contains(date) else { return nil }
            let nextMidnight = zone.instant(ofWall: (date.day + 1) * 86_400_000)
            return max(time, nextMidnight - 1)
        }
    }
}
