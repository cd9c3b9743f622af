import Synchronization

/// Lets callers through while the bytes inside stay under a limit; the others wait in order.
///
/// One caller always gets through an empty gate, however much it carries.
final class ByteGate: Sendable {
    private struct State {
        var inside = 0
        var waiting: [(bytes: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    func enter(_ bytes: Int) async {
        if admit(bytes) { return }
        await withCheckedContinuation { continuation in
            let isAdmitted = state.withLock { state in
                if state.waiting.isEmpty, state.inside == 0 || state.inside + bytes <= limit {
                    state.inside += bytes
                    return true
                }
                state.waiting.append((bytes, continuation))
                return false
            }
            if isAdmitted { continuation.resume() }
        }
    }

    private func admit(_ bytes: Int) -> Bool {
        state.withLock { state in
            guard state.waiting.isEmpty, state.inside == 0 || state.inside + bytes <= limit else { return false }
            state.inside += bytes
            return true
        }
    }

    func leave(_ bytes: Int) {
        let admitted = state.withLock { state in
            state.inside -= bytes
            var admitted: [CheckedContinuation<Void, Never>] = []
            while let next = state.waiting.first, state.inside == 0 || state.inside + next.bytes <= limit {
                state.inside += next.bytes
                admitted.append(next.continuation)
                state.waiting.removeFirst()
            }
            return admitted
        }
        for continuation in admitted { continuation.resume() }
    }
}
