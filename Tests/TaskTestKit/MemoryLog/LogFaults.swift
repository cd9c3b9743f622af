package import TaskLog

/// What becomes of one append.
package enum AppendFate: Sendable {
    case written
    /// Written, and again by a retry inside the engine; the receipt names the second record.
    case writtenTwice
    /// Not written, and the caller hears so.
    case refused(LogError)
    /// Written, though the caller hears of a failure: the "unknown outcome".
    case writtenButFailed(LogError)
}

/// The faults of one handle of the in-memory log. Without a setting nothing fails.
package final class LogFaults: Sendable {
    /// Calls that can be made to fail apart from appends.
    package enum Call: Hashable, Sendable {
        /// Everything that asks the log something: ensure, bounds, scan, committed, join, follow, …
        case read
        case commit
    }

    private struct State {
        var isAvailable = true
        var isHolding = false
        var hasEnded = false
        var scripted: [(topic: String, fate: AppendFate)] = []
        var failures: [Call: [LogError]] = [:]
        var decide: (@Sendable (LogAppend) -> AppendFate)?
        var gatedTopics: Set<String> = []
        var heldAcknowledgements = 0
    }

    private let state = Observed(State())
    private let hold: @Sendable (Bool) -> Void

    init(hold: @escaping @Sendable (Bool) -> Void) {
        self.hold = hold
    }

    /// The next `count` records appended to `topic` meet this fate.
    package func nextAppends(_ count: Int = 1, to topic: String, meet fate: AppendFate) {
        state.update { $0.scripted += Array(repeating: (topic, fate), count: count) }
    }

    /// Asks `decide` about every append that no script names; nil ends that. For seeded random faults.
    package func decideAppends(_ decide: (@Sendable (LogAppend) -> AppendFate)?) {
        state.update { $0.decide = decide }
    }

    /// The next `count` such calls throw `error`.
    package func failNext(_ call: Call, count: Int = 1, with error: LogError) {
        state.update { $0.failures[call, default: []] += Array(repeating: error, count: count) }
    }

    /// Every call fails with `unavailable`, and nothing is delivered. Heartbeats go on; see ``MemoryTaskLog/vanish()``.
    package func makeUnavailable() {
        hold(true)
        state.update { $0.isAvailable = false }
    }

    package func makeAvailable() {
        let isHolding = state.update { state in
            state.isAvailable = true
            return state.isHolding
        }
        if !isHolding { hold(false) }
    }

    /// `next()` of this handle's members and followers waits, whatever there is to say, until the release.
    package func holdDeliveries() {
        state.update { $0.isHolding = true }
        hold(true)
    }

    package func releaseDeliveries() {
        let isAvailable = state.update { state in
            state.isHolding = false
            return state.isAvailable
        }
        if isAvailable { hold(false) }
    }

    /// Appends to `topic` are written, but do not return before the release.
    package func holdAcknowledgements(of topic: String) {
        state.update { _ = $0.gatedTopics.insert(topic) }
    }

    package func releaseAcknowledgements(of topic: String) {
        state.update { _ = $0.gatedTopics.remove(topic) }
    }

    /// Returns once `count` append calls wait for their acknowledgement.
    package func waitForHeldAcknowledgements(count: Int = 1) async throws {
        try await state.wait { $0.heldAcknowledgements >= count }
    }

    // MARK: for the handle

    func check(_ call: Call) throws {
        try state.update { state in
            if !state.isAvailable { throw Self.unavailable }
            guard let error = state.failures[call]?.first else { return }
            state.failures[call]?.removeFirst()
            throw error
        }
    }

    /// Nil when every record is simply written.
    func planAppend(of records: [LogAppend]) -> [AppendFate]? {
        state.update { state in
            if !state.isAvailable { return records.map { _ in .refused(Self.unavailable) } }
            if state.scripted.isEmpty && state.decide == nil { return nil }
            return records.map { record in
                if let index = state.scripted.firstIndex(where: { $0.topic == record.topic }) {
                    return state.scripted.remove(at: index).fate
                }
                return state.decide?(record) ?? .written
            }
        }
    }

    /// Cancellation ends the wait early: the records are written, only the news of it is late.
    func waitForAcknowledgement(of records: [LogAppend]) async {
        let topics = Set(records.map(\.topic))
        let isGated = state.update { state in
            guard !state.hasEnded, !state.gatedTopics.isDisjoint(with: topics) else { return false }
            state.heldAcknowledgements += 1
            return true
        }
        guard isGated else { return }
        _ = try? await state.wait { $0.hasEnded || $0.gatedTopics.isDisjoint(with: topics) }
        state.update { $0.heldAcknowledgements -= 1 }
    }

    /// Lets go whoever still waits for an acknowledgement.
    func end() {
        state.update { $0.hasEnded = true }
    }

    private static let unavailable = LogError(.unavailable, "the in-memory log was made unavailable")
}
