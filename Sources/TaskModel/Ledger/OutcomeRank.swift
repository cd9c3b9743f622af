/// The order in which outcomes of one fingerprint beat each other: by replay, class, turn, and last by number, so that any
/// two that differ have an order and nobody depends on which came first.
public struct OutcomeRank: Hashable, Comparable, Sendable {
    private let replay: UInt32
    private let turn: UInt32
    private let outcome: Outcome

    public init(_ outcome: Outcome, replay: UInt32, turn: UInt32) {
        self.outcome = outcome
        self.replay = replay
        self.turn = turn
    }

    public static func < (left: OutcomeRank, right: OutcomeRank) -> Bool {
        (left.replay, left.outcome.outcomeClass.rawValue, left.turn, left.outcome.rawValue)
            < (right.replay, right.outcome.outcomeClass.rawValue, right.turn, right.outcome.rawValue)
    }
}
