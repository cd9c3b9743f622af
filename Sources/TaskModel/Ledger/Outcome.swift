/// What a turn came to.
public enum Outcome: UInt8, Hashable, Sendable, CaseIterable {
    case retrying = 1
    case snoozed = 2
    case dead = 16
    case cancelled = 17
    case expired = 18
    case skipped = 19
    case completed = 32

    /// The middle term of the ledger's order: again < ended < completed.
    public enum Class: UInt8, Hashable, Sendable, Comparable {
        case again, ended, completed

        public static func < (left: Class, right: Class) -> Bool { left.rawValue < right.rawValue }
    }

    public var outcomeClass: Class {
        switch self {
        case .retrying, .snoozed: .again
        case .dead, .cancelled, .expired, .skipped: .ended
        case .completed: .completed
        }
    }

    /// The word that people and metrics see.
    public var word: String {
        switch self {
        case .retrying: "retrying"
        case .snoozed: "snoozed"
        case .dead: "dead"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .skipped: "skipped"
        case .completed: "completed"
        }
    }

    public init?(word: String) {
        guard let outcome = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = outcome
    }
}
