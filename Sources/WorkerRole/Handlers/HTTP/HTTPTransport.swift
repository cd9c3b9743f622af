/// A request, complete.
struct HTTPRequest: Sendable {
    var url: String
    var method: String
    var headers: [String: String]
    var body: [UInt8]
}

/// Why no answer came.
struct HTTPConnectionError: Error, Hashable, Sendable {
    /// libcurl's number.
    var code: UInt32
    var message: String
}

/// The connections of one handler, kept between requests. No cookies, cache, stored credentials or redirects.
///
/// It stands on libcurl and not on Foundation's `URLSession`, because that one, on Linux, ends the whole process when a server
/// answers 401 with `WWW-Authenticate: Bearer`, does not keep its limit of connections, and cannot be held back when a
/// body is longer than anybody will read.
final class HTTPTransport: Sendable {
    private let loop: CurlLoop
    private let responseLimit: Int

    init(connections: Int, responseLimit: Int) {
        loop = CurlLoop(connections: connections)
        self.responseLimit = responseLimit
    }

    deinit { loop.stop() }

    /// One request and its answer. Once the status is known it is the answer, even if the body is cut short after it.
    ///
    /// Throws `CancellationError` at once when the task is cancelled before that, else ``HTTPConnectionError``. A cancelled
    /// request loses its connection, so that the server hears of it.
    func send(_ request: HTTPRequest) async throws -> HTTPReply {
        let exchange = HTTPExchange(responseLimit: responseLimit)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if exchange.begin(continuation) { loop.start(request, exchange) }
            }
        } onCancel: {
            if exchange.cancel() { loop.abandon(exchange) }
        }
    }
}
