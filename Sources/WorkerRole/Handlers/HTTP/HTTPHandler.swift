package import ServiceRuntime

/// Sends each event to a web service, in CloudEvents' HTTP binding (binary mode): attributes as `ce-…` headers, the payload
/// untouched as the body, and `Idempotency-Key` with the fingerprint, the same for every attempt.
///
/// The status of the answer decides: 2xx is done, 429 and 503 with `Retry-After` wait as long as they say, 408, 425, 429 and
/// 5xx are tried again, anything else is a dead letter with the code `http-<status>`. A connection that fails (name, TCP,
/// TLS, or closed before a status came) is tried again with the code `http-connect`. Redirects are not followed.
///
/// The attempt's timeout is the only time limit: cancelling the Swift task closes the connection and throws
/// `CancellationError`, unless the status has arrived already. Cookies, caches and stored credentials are not used; proxies
/// are those of the environment (`http_proxy`, `https_proxy`, `no_proxy`), as libcurl reads it.
public struct HTTPHandler: TaskHandler {
    private let configuration: HTTPConfiguration
    private let transport: HTTPTransport
    private let time: any TimeSource

    /// Throws when the configuration has ``HTTPConfiguration/problems``.
    public init(_ configuration: HTTPConfiguration) throws(HandlerConfigurationError) {
        try self.init(configuration, time: SystemTimeSource())
    }

    package init(_ configuration: HTTPConfiguration, time: any TimeSource) throws(HandlerConfigurationError) {
        let problems = configuration.problems
        guard problems.isEmpty else { throw HandlerConfigurationError(problems) }
        self.configuration = configuration
        self.time = time
        transport = HTTPTransport(connections: configuration.connections, responseLimit: configuration.responseLimit)
    }

    public func run(_ context: TaskContext) async throws {
        let request = HTTPRequest(
            url: configuration.url.absoluteString, method: configuration.method.rawValue,
            headers: try HTTPHeaders.headers(for: context, configured: configuration.headers), body: context.payload)
        let reply: HTTPReply
        do {
            reply = try await transport.send(request)
        } catch let error as HTTPConnectionError {
            throw TaskFailure.retry(code: "http-connect", "\(configuration.target): \(error.message) (\(error.code))")
        }
        if let failure = reply.failure(of: configuration.target, now: time.now()) { throw failure }
    }
}
