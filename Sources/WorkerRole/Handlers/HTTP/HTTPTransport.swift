internal import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The connections of one handler: a session without cookies, cache, stored credentials or redirects.
final class HTTPTransport: Sendable {
    /// Time limits are the attempt's, so the session's own are out of the way. Seconds.
    static let sessionTimeout: TimeInterval = 7 * 86_400

    private let session: URLSession
    private let delegate: HTTPSessionDelegate
    private let responseLimit: Int
    private let slots: ConnectionSlots

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
        self.responseLimit = responseLimit
        slots = ConnectionSlots(connections)
        delegate = HTTPSessionDelegate()
        session = URLSession(configuration: configuration, delegate: delegate, delegateQueue: nil)
    }

    /// A session keeps its delegate, threads and connections until it is told to end.
    deinit { session.invalidateAndCancel() }

    /// One request and its answer. Once the status is known it is the answer, even if the body is cut short after it.
    ///
    /// Throws `CancellationError` at once when the task is cancelled before that, else the error of the connection.
    func send(_ request: URLRequest) async throws -> HTTPReply {
        try await slots.run { try await exchange(request) }
    }

    private func exchange(_ request: URLRequest) async throws -> HTTPReply {
        let task = session.dataTask(with: request)
        let exchange = HTTPExchange(responseLimit: responseLimit)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if exchange.begin(continuation) {
                    delegate.start(task, exchange)
                } else {
                    delegate.end(task)
                }
            }
        } onCancel: {
            if exchange.cancel() { delegate.end(task) }
        }
    }
}

/// Hands what the session reports to the exchange that it belongs to.
private final class HTTPSessionDelegate: NSObject, URLSessionDataDelegate, Sendable {
    private let running = Mutex<[Int: HTTPExchange]>([:])
    /// Starting and cancelling wait for the session's own queue, which a flood of data can keep busy: never on a thread of
    /// Swift concurrency, nor on the session's delegate queue, where chunks would pile up meanwhile. One queue, so that
    /// a cancellation never overtakes the start.
    private let commands = DispatchQueue(label: "tidemill.http")

    func start(_ task: URLSessionDataTask, _ exchange: HTTPExchange) {
        running.withLock { $0[task.taskIdentifier] = exchange }
        commands.async { task.resume() }
    }

    func end(_ task: URLSessionDataTask) {
        commands.async { task.cancel() }
    }

    private func exchange(of task: URLSessionTask) -> HTTPExchange? { running.withLock { $0[task.taskIdentifier] } }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        takeHead(response, dataTask)
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        guard let exchange = exchange(of: dataTask) else { return }
        // Not every path of Foundation on Linux reports the response before the data.
        if let response = dataTask.response { takeHead(response, dataTask) }
        if exchange.receive(data) { end(dataTask) }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// A server that asks for credentials gets none, so that its 401 is the answer. Without this, Foundation on Linux never
    /// ends such a request.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        let method = challenge.protectionSpace.authenticationMethod
        let isHTTP = [
            NSURLAuthenticationMethodDefault, NSURLAuthenticationMethodHTTPBasic, NSURLAuthenticationMethodHTTPDigest,
        ].contains(method)
        completionHandler(isHTTP ? .rejectProtectionSpace : .performDefaultHandling, nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let response = task.response { takeHead(response, task) }
        guard let exchange = running.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        exchange.complete(error ?? URLError(.badServerResponse))
    }

    private func takeHead(_ response: URLResponse, _ task: URLSessionTask) {
        guard let response = response as? HTTPURLResponse else { return }
        exchange(of: task)?.receive(
            head: HTTPReply(
                status: response.statusCode, retryAfter: response.value(forHTTPHeaderField: "Retry-After"),
                location: response.value(forHTTPHeaderField: "Location"), body: []))
    }
}
