/// Names exactly one emission of an event: which work, which replay of it, which turn.
///
/// Every emission after the first has turn + 1 (retry, snooze, unknown task); a replay has replay + 1 and turn 1.
public struct Coordinate: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var fingerprint: Fingerprint
    public var replay: UInt32
    public var turn: UInt32

    public init(fingerprint: Fingerprint, replay: UInt32 = 0, turn: UInt32 = 1) {
        self.fingerprint = fingerprint
        self.replay = replay
        self.turn = turn
    }

    /// `fingerprint/replay/turn`: the key of a record in the retry topic.
    public var description: String { "\(fingerprint.hex)/\(replay)/\(turn)" }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let fingerprint = Fingerprint(hex: parts[0]), let replay = UInt32(parts[1]),
            let turn = UInt32(parts[2])
        else { return nil }
        self.init(fingerprint: fingerprint, replay: replay, turn: turn)
    }

    public static func < (left: Coordinate, right: Coordinate) -> Bool {
        (left.fingerprint, left.replay, left.turn) < (right.fingerprint, right.replay, right.turn)
    }
}
