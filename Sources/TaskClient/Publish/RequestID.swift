import Synchronization

/// The id of a request and of its copies: one that was given, or one that is chosen once, when it is first needed.
final class RequestID: Sendable {
    private let chosen: Mutex<String?>

    init(_ given: String? = nil) { chosen = Mutex(given) }

    /// Whether nobody has needed it yet.
    var isOpen: Bool { chosen.withLock { $0 == nil } }

    var text: String { text(orElse: EventID.random) }

    /// - Parameter choose: makes it where nobody has asked before.
    func text(orElse choose: () -> String) -> String {
        chosen.withLock { chosen in
            if let chosen { return chosen }
            let text = choose()
            chosen = text
            return text
        }
    }
}

extension RequestID: Hashable {
    static func == (left: RequestID, right: RequestID) -> Bool { left === right || left.text == right.text }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension RequestID: CustomStringConvertible {
    var description: String { chosen.withLock { $0 ?? "not chosen yet" } }
}
