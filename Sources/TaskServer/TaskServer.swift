package import ServiceRuntime
import Synchronization
package import TaskTelemetry

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

package struct TaskServerConfiguration: Hashable, Sendable {
    /// A numeric address, or `localhost`.
    package var host = "127.0.0.1"
    /// 0 takes a free one.
    package var port: UInt16
    /// Listen on an address that others can reach. Nothing here asks for a password.
    package var allowRemote = false
    package var limits = HTTPLimits()

    package init(host: String = "127.0.0.1", port: UInt16, allowRemote: Bool = false) {
        self.host = host
        self.port = port
        self.allowRemote = allowRemote
    }
}

/// Why a server cannot start.
package enum TaskServerError: Error, Hashable, Sendable, CustomStringConvertible {
    case badHost(String)
    case remoteNotAllowed(host: String)
    case cannotListen(host: String, port: UInt16, reason: String)

    package var description: String {
        switch self {
        case .badHost(let host): "\(host) is not a numeric address; give one such as 127.0.0.1 or ::1"
        case .remoteNotAllowed(let host):
            "\(host) can be reached by others, and nothing here asks for a password; give 127.0.0.1, or allow it with "
                + "allow_remote: true"
        case .cannotListen(let host, let port, let reason): "cannot listen on \(host), port \(port): \(reason)"
        }
    }
}

/// A small HTTP/1.1 server: one thread moves bytes, requests are answered by child tasks of ``run()``.
///
/// Everything a client can make it hold is bounded by ``HTTPLimits``. On a loopback address it answers only requests
/// whose `Host` names this machine: a web page that had its own name point here could otherwise read the answers.
package final class TaskServer: Service {
    package let serviceName = "http server"
    /// The port it listens on, also when 0 was asked for.
    package let port: UInt16
    private let loop: HTTPEventLoop
    private let jobs: Mailbox<HTTPEventLoop.Job>
    private let router: Router
    private let isLocal: Bool
    private let logger: Logger

    /// Listens from now on; clients are answered once it runs. Throws ``TaskServerError``.
    package init(
        _ configuration: TaskServerConfiguration, router: Router, time: any TimeSource = SystemTimeSource(),
        logger: Logger = Logger()
    ) throws {
        let host = configuration.host
        guard let address = ServerAddress(host: host, port: configuration.port) else {
            throw TaskServerError.badHost(host)
        }
        guard address.isLoopback || configuration.allowRemote else {
            throw TaskServerError.remoteNotAllowed(host: host)
        }
        // A connection has one request with the router at most, so posting never piles up.
        let jobs = Mailbox<HTTPEventLoop.Job>(capacity: configuration.limits.connections)
        do throws(SystemFailure) {
            let listener = try Sockets.listen(address)
            port = Sockets.port(of: listener)
            loop = try HTTPEventLoop(
                listener: listener, limits: configuration.limits, uptime: { time.uptime() }, handle: { jobs.post($0) })
        } catch {
            throw TaskServerError.cannotListen(host: host, port: configuration.port, reason: error.description)
        }
        self.jobs = jobs
        self.router = router
        self.logger = logger
        isLocal = !configuration.allowRemote
    }

    /// Answers requests until stopped. Call it once.
    package func run() async throws {
        logger.info("http server listens", ["port": "\(port)"])
        startThread()
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                while let batch = await jobs.receive() {
                    for job in batch {
                        group.addTask { [self] in
                            loop.post(.respond(connection: job.connection, await respond(to: job.request)))
                        }
                    }
                }
                group.cancelAll()
            }
        } onCancel: {
            loop.post(.abort)
        }
        try Task.checkCancellation()
    }

    package func stop() async {
        loop.post(.stop)
    }

    private func respond(to request: HTTPRequest) async -> HTTPResponse {
        if isLocal, let host = request.header("host"), !Self.namesThisMachine(host) {
            return .text(.misdirected, "this server answers only to localhost")
        }
        return await router.respond(to: request)
    }

    /// `localhost`, `127.0.0.1` and `[::1]`, with any port.
    private static func namesThisMachine(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
        return name.lowercased() == "localhost" || ServerAddress(host: String(name), port: 0)?.isLoopback == true
    }

    private func startThread() {
        let loop = loop
        let jobs = jobs
        Threads.start {
            loop.run()
            jobs.close()
        }
    }
}
