/// One connection as a value: bytes and the time go in, what to do comes out. No I/O; times are milliseconds of uptime.
struct ConnectionMachine {
    enum Action: Equatable {
        /// Hand this to the router, then call ``responded(_:now:)``.
        case handle(HTTPRequest)
        /// Tell the peer that nothing more comes, and go on reading until it ends too.
        case finishWriting
        case close
    }

    private enum State {
        /// Waits for the first byte of a request.
        case idle(until: Int64)
        case reading(until: Int64)
        /// A request is with the router.
        case handling(isHead: Bool, keepsAlive: Bool)
        case writing([UInt8], written: Int, until: Int64, keepsAlive: Bool)
        /// Refused: what the peer still sends is thrown away until it ends, so that it can read the reason.
        case draining(until: Int64)
        case closed
    }

    private let limits: HTTPLimits
    private var parser: HTTPRequestParser
    private var state: State
    /// The server is stopping: the request at hand is the last one.
    private var isLast = false

    init(limits: HTTPLimits, now: Int64) {
        self.limits = limits
        parser = HTTPRequestParser(limits: limits)
        state = .idle(until: now + limits.idleTime)
    }

    // MARK: What the shell waits for

    var wantsRead: Bool {
        switch state {
        case .idle, .reading, .draining: true
        case .handling, .writing, .closed: false
        }
    }

    /// The bytes to write next; empty when there is nothing to write.
    var pending: ArraySlice<UInt8> {
        if case .writing(let bytes, let written, _, _) = state { bytes[written...] } else { [] }
    }

    /// When to call ``elapsed(now:)``; nil while the router works.
    var deadline: Int64? {
        switch state {
        case .idle(let until), .reading(let until), .writing(_, _, let until, _), .draining(let until): until
        case .handling, .closed: nil
        }
    }

    // MARK: What happens

    mutating func received(_ bytes: some Sequence<UInt8>, now: Int64) -> Action? {
        switch state {
        case .idle:
            parser.append(bytes)
            state = .reading(until: now + limits.requestTime)
            return advance(now: now)
        case .reading:
            parser.append(bytes)
            return advance(now: now)
        case .handling, .writing, .draining, .closed:
            return nil
        }
    }

    /// The peer sends nothing more. A request that is complete is still answered.
    mutating func ended() -> Action? {
        switch state {
        case .idle, .reading, .draining, .closed: close()
        case .handling, .writing: nil
        }
    }

    mutating func responded(_ response: HTTPResponse, now: Int64) {
        guard case .handling(let isHead, let wantsMore) = state else { return }
        let keepsAlive = wantsMore && !isLast
        state = .writing(
            response.bytes(withBody: !isHead, closes: !keepsAlive), written: 0, until: now + limits.writeTime,
            keepsAlive: keepsAlive)
    }

    mutating func wrote(_ count: Int, now: Int64) -> Action? {
        guard case .writing(let bytes, let before, let until, let keepsAlive) = state else { return nil }
        guard before + count == bytes.count else {
            state = .writing(bytes, written: before + count, until: until, keepsAlive: keepsAlive)
            return nil
        }
        guard keepsAlive, !isLast else {
            state = .draining(until: now + limits.drainTime)
            return .finishWriting
        }
        guard !parser.isEmpty else {
            state = .idle(until: now + limits.idleTime)
            return nil
        }
        state = .reading(until: now + limits.requestTime)
        return advance(now: now)
    }

    mutating func elapsed(now: Int64) -> Action? {
        guard let deadline, now >= deadline else { return nil }
        guard case .reading = state else { return close() }
        refuse(.requestTimeout, "the request took too long", now: now)
        return nil
    }

    /// The server stops: a connection whose request is not complete ends, the others after their response.
    mutating func stop() -> Action? {
        isLast = true
        switch state {
        case .idle, .reading: return close()
        case .handling, .writing, .draining, .closed: return nil
        }
    }

    private mutating func advance(now: Int64) -> Action? {
        switch parser.next() {
        case .incomplete: return nil
        case .failure(let status, let message):
            refuse(status, message, now: now)
            return nil
        case .request(let request):
            state = .handling(isHead: request.method == "HEAD", keepsAlive: request.keepsAlive)
            return .handle(request)
        }
    }

    private mutating func refuse(_ status: HTTPStatus, _ message: String, now: Int64) {
        let bytes = HTTPResponse.text(status, message).bytes(withBody: true, closes: true)
        state = .writing(bytes, written: 0, until: now + limits.writeTime, keepsAlive: false)
    }

    private mutating func close() -> Action {
        state = .closed
        return .close
    }
}
