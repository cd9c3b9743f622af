import Synchronization

/// One request and what came back for it so far: the place where the answer, its end and a cancellation meet, whichever
/// comes first. Its continuation is resumed exactly once.
final class HTTPExchange: Sendable {
    typealias Continuation = CheckedContinuation<HTTPReply, any Error>

    private enum State {
        case new
        case cancelledBeforeStart
        case sent(Continuation)
        /// The status is known, and so the outcome; the rest of the body comes in.
        case answered(HTTPReply, Continuation)
        case over
    }

    private let responseLimit: Int
    private let state = Mutex(State.new)

    init(responseLimit: Int) { self.responseLimit = responseLimit }

    /// Nobody waits for the answer any more.
    var isOver: Bool {
        state.withLock { state in
            switch state {
            case .over, .cancelledBeforeStart: true
            case .new, .sent, .answered: false
            }
        }
    }

    /// False when the request must not be sent any more.
    func begin(_ continuation: Continuation) -> Bool {
        let isWanted = state.withLock { state in
            guard case .new = state else {
                state = .over
                return false
            }
            state = .sent(continuation)
            return true
        }
        if !isWanted { continuation.resume(throwing: CancellationError()) }
        return isWanted
    }

    func receive(head: HTTPReply) {
        state.withLock { state in
            if case .sent(let continuation) = state { state = .answered(head, continuation) }
        }
    }

    /// False when nobody wants more of the body, because it is as long as anybody will read or the attempt was cancelled.
    func receive(_ bytes: some Collection<UInt8>) -> Bool {
        let end = state.withLock { state -> (isWanted: Bool, last: (HTTPReply, Continuation)?) in
            guard case .answered(var reply, let continuation) = state else { return (false, nil) }
            let room = responseLimit - reply.body.count
            reply.body += bytes.prefix(room)
            guard bytes.count > room else {
                state = .answered(reply, continuation)
                return (true, nil)
            }
            state = .over
            return (false, (reply, continuation))
        }
        if let (reply, continuation) = end.last { continuation.resume(returning: reply) }
        return end.isWanted
    }

    /// The transfer is over. Without a status, the error is thrown.
    func complete(_ error: any Error) {
        end { continuation in continuation.resume(throwing: error) }
    }

    /// The attempt was cancelled. True when a request is under way that should be ended.
    func cancel() -> Bool {
        let isNew = state.withLock { state in
            guard case .new = state else { return false }
            state = .cancelledBeforeStart
            return true
        }
        guard !isNew else { return false }
        return end { continuation in continuation.resume(throwing: CancellationError()) }
    }

    /// Gives the answer if the status is known; else leaves the end to `otherwise`. False when it was over before.
    @discardableResult
    private func end(_ otherwise: (Continuation) -> Void) -> Bool {
        let last = state.withLock { state in
            defer { state = .over }
            return state
        }
        switch last {
        case .sent(let continuation):
            otherwise(continuation)
            return true
        case .answered(let reply, let continuation):
            continuation.resume(returning: reply)
            return true
        case .new, .cancelledBeforeStart, .over:
            return false
        }
    }
}
