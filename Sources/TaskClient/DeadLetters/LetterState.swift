public import TaskModel

/// What became of a dead letter.
public enum LetterState: Hashable, Sendable {
    /// Nobody has dealt with it.
    case open
    case replayed(DeadLetterMark)
    case discarded(DeadLetterMark)
    /// A late `completed` of another worker met it.
    case resolved(DeadLetterMark)
    /// A later replay of the same event died too: that letter is the one to deal with.
    case superseded(by: UInt32)

    public init(_ mark: DeadLetterMark) {
        self =
            switch mark.kind {
            case .replayed: .replayed(mark)
            case .discarded: .discarded(mark)
            case .resolved: .resolved(mark)
            }
    }

    public var isOpen: Bool { self == .open }

    public var word: String {
        switch self {
        case .open: "open"
        case .replayed: "replayed"
        case .discarded: "discarded"
        case .resolved: "resolved"
        case .superseded: "superseded"
        }
    }

    public var mark: DeadLetterMark? {
        switch self {
        case .open, .superseded: nil
        case .replayed(let mark), .discarded(let mark), .resolved(let mark): mark
        }
    }
}
