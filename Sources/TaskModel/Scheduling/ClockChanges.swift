/// What a schedule does on the days when the clocks of its time zone change.
///
/// Nil is Debian's rule. A job of fixed times (neither its minutes nor its hours begin with `*`) runs once: right after a
/// gap that passes over it, and the first of two times in an overlap. A job with a wildcard follows elapsed time: not at
/// all in a gap, both times in an overlap. Debian's cron keeps to that for changes of up to three hours; since the zone is
/// known here, it holds for every change of less than a day. A whole day that a zone leaves out (Apia, 30 December 2011)
/// has no runs.
///
/// A rule that is given holds for every local time that the trigger names, wildcard or not, and for a change of any length.
public struct ClockChanges: Hashable, Sendable {
    /// Local times that the clocks pass over.
    public enum Gap: String, Hashable, Sendable, Codable, CaseIterable {
        /// Once, right after the gap.
        case runAfter = "run-after"
        case skip
        /// Later by the length of the gap: half past two becomes half past three.
        case shift
    }

    /// Local times that occur twice.
    public enum Overlap: String, Hashable, Sendable, Codable, CaseIterable {
        case first, second, both
    }

    public var gap: Gap?
    public var overlap: Overlap?

    public init(gap: Gap? = nil, overlap: Overlap? = nil) {
        self.gap = gap
        self.overlap = overlap
    }

    public static let debian = ClockChanges()

    private static let day: Int64 = 86_400

    func ruleForGap(of seconds: Int64, isWildcard: Bool) -> Gap {
        gap ?? (isWildcard || seconds >= Self.day ? .skip : .runAfter)
    }

    func ruleForOverlap(of seconds: Int64, isWildcard: Bool) -> Overlap {
        overlap ?? (isWildcard || seconds >= Self.day ? .both : .first)
    }
}
