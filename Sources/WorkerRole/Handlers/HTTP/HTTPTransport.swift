import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The connections of one handler: a session without cookies, cache, stored credentials or redirects.
final class HTTPTransport: Sendable {
    /// Time limits are the attempt's, so the session's own are out of the way. Seconds.
    static let sessionTimeout: TimeInterval = 7 * 86_400

    private let session: URLSession
    private let exchanges: HTTPExchanges

    init(connections: Int, responseLimit: Int) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpMaximumConnectionsPerHost = connections
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.timeoutIntervalForRequest = Self.sessionTimeout
        configuration.timeoutIntervalForResource = Self.sessionTimeout
        exchanges = HTTPExchanges(responseLimit: responseLimit)
        session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
    }

    /// A session keeps its delegate, threads and connections until it is told to end.
    deinit { session.invalidateAndCancel() }

    /// One request and its answer. Once the status is known it is the answer, even if the body is cut short after it.
    ///
    /// Throws `CancellationError` when the task is cancelled before that, else the error of the connection.
    func send(_ request: URLRequest) async throws -> HTTPReply {
        try Task.checkCancellation()
        let task = session.dataTask(with: request)
        let gate = CancellationGate(task)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                exchanges.begin(task, continuation)
                gate.start()
            }
        } onCancel: {
            gate.cancel()
        }
    }
}

/// Keeps a cancellation from overtaking the start: cancelling a task that was never resumed may end in no call at all.
private final class CancellationGate: Sendable {
    private enum State { case new, started, cancelled }

    private let task: URLSessionDataTask
    private let state = Mutex(State.new)

    init(_ task: URLSessionDataTask) { self.task = task }

    func start() {
        task.resume()
        let isCancelled = state.withLock { state in
            if state == .new { state = .started }
            return state == .cancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        let wasStarted = state.withLock { state in
            defer { state = .cancelled }
            return state == .started
        }
        if wasStarted { task.cancel() }
    }
}

/// The delegate: collects the answer of every running request.
private final class HTTPExchanges: NSObject, URLSessionDataDelegate, Sendable {
    private struct Exchange {
        var continuation: CheckedContinuation<HTTPReply, any Error>
        var body: [UInt8] = []
    }

    private let responseLimit: Int
    private let running = Mutex<[Int: Exchange]>([:])

    init(responseLimit: Int) { self.responseLimit = responseLimit }

    func begin(_ task: URLSessionTask, _ continuation: CheckedContinuation<HTTPReply, any Error>) {
        running.withLock { $0[task.taskIdentifier] = Exchange(continuation: continuation) }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isFull = running.withLock { running in
            guard let count = running[dataTask.taskIdentifier]?.body.count else { return false }
            running[dataTask.taskIdentifier]?.body += data.prefix(responseLimit - count)
            return data.count > responseLimit - count
        }
        if isFull { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let exchange = running.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        if let response = task.response as? HTTPURLResponse {
            exchange.continuation.resume(
                returning: HTTPReply(
                    status: response.statusCode, retryAfter: response.value(forHTTPHeaderField: "Retry-After"),
                    location: response.value(forHTTPHeaderField: "Location"), body: exchange.body))
        } else if (error as? URLError)?.code == .cancelled {
            exchange.continuation.resume(throwing: CancellationError())
        } else {
            exchange.continuation.resume(throwing: error ?? URLError(.badServerResponse))
        }
    }
}
