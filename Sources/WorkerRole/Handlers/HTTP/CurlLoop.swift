internal import CCurl
import Synchronization

/// Runs all transfers of one handler on one thread, which starts with the first of them and ends with ``stop()``.
///
/// Other threads only leave a command and wake it. Commands are bounded by the attempts that run: two for each.
final class CurlLoop: Sendable {
    private enum Command: Sendable {
        case start(HTTPRequest, HTTPExchange)
        case abandon(HTTPExchange)
        case stop
    }

    /// Of libcurl's functions on it only `curl_multi_wakeup` may be called by other threads.
    private struct Handle: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

    private enum State {
        case idle
        case running(Handle, pending: [Command])
        case stopped
    }

    private static let isInitialized = ccurl_initialize() == CURLE_OK

    private let connections: Int
    private let state = Mutex(State.idle)

    init(connections: Int) { self.connections = connections }

    func start(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        if let problem = post(.start(request, exchange)) {
            exchange.complete(HTTPConnectionError(code: CURLE_FAILED_INIT.rawValue, message: problem))
        }
    }

    func abandon(_ exchange: HTTPExchange) { _ = post(.abandon(exchange)) }

    func stop() {
        state.withLock { state in
            switch state {
            case .idle:
                state = .stopped
            case .running(let handle, let pending):
                state = .running(handle, pending: pending + [.stop])
                curl_multi_wakeup(handle.pointer)
            case .stopped:
                break
            }
        }
    }

    /// What kept the command from being left, if something did.
    private func post(_ command: Command) -> String? {
        state.withLock { state in
            switch state {
            case .idle:
                guard Self.isInitialized, let pointer = curl_multi_init() else {
                    return "libcurl cannot be initialized"
                }
                let handle = Handle(pointer: pointer)
                state = .running(handle, pending: [command])
                let error = DetachedThread.start { self.run(handle) }
                guard error != 0 else { return nil }
                curl_multi_cleanup(pointer)
                state = .idle
                return "no thread for the connections: \(SpawnError.text(error))"
            case .running(let handle, var pending):
                // Taken out of the state while it grows, so that it is not copied.
                state = .stopped
                pending.append(command)
                state = .running(handle, pending: pending)
                curl_multi_wakeup(handle.pointer)
                return nil
            case .stopped:
                return "the handler is being closed"
            }
        }
    }

    private func takeCommands() -> [Command] {
        state.withLock { state in
            guard case .running(let handle, let pending) = state else { return [] }
            state = .running(handle, pending: [])
            return pending
        }
    }

    private func run(_ handle: Handle) {
        let multi = handle.pointer
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, connections)
        var transfers = CurlTransfers(multi: multi)
        while true {
            for command in takeCommands() {
                switch command {
                case .start(let request, let exchange):
                    transfers.add(request, exchange)
                case .abandon(let exchange):
                    transfers.remove(exchange)
                case .stop:
                    state.withLock { $0 = .stopped }
                    transfers.removeAll()
                    curl_multi_cleanup(multi)
                    return
                }
            }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            transfers.completeFinished()
            // Ends early for a socket, a timer of libcurl's, or a command; the limit of ten minutes means nothing.
            curl_multi_poll(multi, nil, 0, 600_000, nil)
        }
    }
}

/// The transfers under way.
private struct CurlTransfers {
    let multi: UnsafeMutableRawPointer
    private var byHandle: [UnsafeMutableRawPointer: CurlTransfer] = [:]
    private var handles: [ObjectIdentifier: UnsafeMutableRawPointer] = [:]

    init(multi: UnsafeMutableRawPointer) { self.multi = multi }

    mutating func add(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        // The cancellation may come before the start.
        guard !exchange.isOver else { return }
        guard let transfer = CurlTransfer(request, exchange) else {
            exchange.complete(HTTPConnectionError(code: CURLE_OUT_OF_MEMORY.rawValue, message: "out of memory"))
            return
        }
        byHandle[transfer.handle] = transfer
        handles[ObjectIdentifier(exchange)] = transfer.handle
        curl_multi_add_handle(multi, transfer.handle)
    }

    /// Ends a transfer and its connection.
    mutating func remove(_ exchange: HTTPExchange) {
        guard let handle = handles[ObjectIdentifier(exchange)] else { return }
        _ = take(handle)
    }

    mutating func removeAll() {
        for handle in Array(byHandle.keys) { take(handle)?.exchange.complete(CancellationError()) }
    }

    mutating func completeFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            // The message is gone with the handle.
            let code = message.pointee.data.result
            guard let transfer = take(handle) else { continue }
            transfer.exchange.complete(transfer.error(code))
        }
    }

    private mutating func take(_ handle: UnsafeMutableRawPointer) -> CurlTransfer? {
        guard let transfer = byHandle.removeValue(forKey: handle) else { return nil }
        handles[ObjectIdentifier(transfer.exchange)] = nil
        curl_multi_remove_handle(multi, handle)
        return transfer
    }
}
