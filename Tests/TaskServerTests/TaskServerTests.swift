import Synchronization
import TaskTelemetry
import Testing

@testable import TaskServer

/// Holds requests until it is opened, and tells who has come.
private final class Gate: Sendable {
    private let arrivals = Mutex<[String]>([])
    private let (arrived, arrive) = AsyncStream.makeStream(of: String.self)
    private let (opened, open) = AsyncStream.makeStream(of: Void.self)

    func pass(_ name: String) async {
        arrivals.withLock { $0.append(name) }
        arrive.yield(name)
        for await _ in opened { return }
    }

    func waitForArrival() async { for await _ in arrived { return } }
    func letOneThrough() { open.yield(()) }
    var names: [String] { arrivals.withLock { $0 } }
}

struct TaskServerTests {
    private static let router = Router([
        .init("GET", "/a") { _ in .text(.ok, "hello") },
        .init("POST", "/echo") { HTTPResponse(.ok, contentType: "text/plain", body: $0.body) },
    ])

    /// Runs a server around `body`; it has ended when this returns.
    private func serving(
        _ router: Router = router, limits: HTTPLimits = HTTPLimits(), host: String = "127.0.0.1",
        _ body: (TaskServer) async throws -> Void
    ) async throws {
        var configuration = TaskServerConfiguration(host: host, port: 0)
        configuration.limits = limits
        let server = try TaskServer(configuration, router: router)
        async let end: Void = server.run()
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        try await end
    }

    private static func get(_ path: String, _ headers: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n"
    }

    @Test func aConnectionServesManyRequests() async throws {
        try await serving { server in
            let client = try await TestClient(port: server.port)
            for _ in 0..<3 {
                try await client.send(Self.get("/a"))
                let response = try await client.response()
                #expect(response.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(response.hasSuffix("\r\n\r\nhello\n"))
                #expect(!response.contains("Connection: close"))
            }
            try await client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
            #expect(try await client.response().hasSuffix("\r\n\r\nabc"))
            try await client.send(Self.get("/a", "Connection: close\r\n"))
            #expect(try await client.rest().contains("Connection: close\r\n"))
        }
    }

    @Test func pipelinedAndHalfClosed() async throws {
        try await serving { server in
            let client = try await TestClient(port: server.port)
            try await client.send(Self.get("/a") + Self.get("/none") + Self.get("/a"))
            try await client.finishWriting()
            let lines = try await client.rest().split(separator: "\r\n").filter { $0.contains("HTTP/1.1 ") }
            #expect(lines.map { $0.suffix(while: "HTTP/1.1 ") } == ["200 OK", "404 Not Found", "200 OK"])
        }
    }

    @Test func headLeavesOutTheBody() async throws {
        try await serving { server in
            let client = try await TestClient(port: server.port)
            try await client.send("HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let response = try await client.response(toHead: true)
            #expect(response.contains("Content-Length: 6\r\n"))
            #expect(response.hasSuffix("\r\n\r\n"))
            try await client.send(Self.get("/a"))
            #expect(try await client.response().hasPrefix("HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test(arguments: [
        ("GET /none HTTP/1.0\r\n\r\n", 404), ("DELETE /a HTTP/1.0\r\n\r\n", 405), ("nonsense\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\n\r\n", 400), ("GET /a HTTP/3.0\r\n\r\n", 505),
        ("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ("POST /echo HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n", 413),
        ("GET /a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421),
        ("GET /" + String(repeating: "x", count: 20_000) + " HTTP/1.0\r\n\r\n", 431),
        ("GET /a HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n", 200),
        ("GET /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\nConnection: close\r\n\r\n", 200),
    ])
    func everyRequestGetsAnAnswerAndAnEnd(text: String, code: Int) async throws {
        try await serving { server in
            let client = try await TestClient(port: server.port)
            try await client.send(text)
            let response = try await client.rest()
            #expect(response.hasPrefix("HTTP/1.1 \(code) "))
            #expect(response.contains("Connection: close\r\n"))
        }
    }

    @Test func aSlowRequestIsCutOff() async throws {
        var limits = HTTPLimits()
        limits.requestTime = 20
        try await serving(limits: limits) { server in
            let client = try await TestClient(port: server.port)
            try await client.send("GET /a HT")
            #expect(try await client.rest().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func aSilentClientIsLeft() async throws {
        var limits = HTTPLimits()
        limits.idleTime = 20
        try await serving(limits: limits) { server in
            let client = try await TestClient(port: server.port)
            #expect(try await client.rest() == "")
        }
    }

    @Test func clientsBeyondTheLimitWait() async throws {
        let gate = Gate()
        let router = Router([
            .init("GET", "/a") { request in
                await gate.pass(request.query ?? "")
                return .text(.ok, "done")
            }
        ])
        var limits = HTTPLimits()
        limits.connections = 1
        try await serving(router, limits: limits) { server in
            let first = try await TestClient(port: server.port)
            try await first.send(Self.get("/a?1"))
            await gate.waitForArrival()
            let second = try await TestClient(port: server.port)
            try await second.send(Self.get("/a?2", "Connection: close\r\n"))
            #expect(gate.names == ["1"])
            gate.letOneThrough()
            #expect(try await first.response().hasSuffix("done\n"))
            // The first connection is still open, so that the second one has to wait for its end.
            #expect(gate.names == ["1"])
            try await first.disconnect()
            await gate.waitForArrival()
            gate.letOneThrough()
            #expect(try await second.rest().hasSuffix("done\n"))
        }
    }

    @Test func stoppingFinishesWhatRunsAndEndsTheRest() async throws {
        let gate = Gate()
        let router = Router([
            .init("GET", "/a") { _ in
                await gate.pass("a")
                return .text(.ok, "done")
            }
        ])
        try await serving(router) { server in
            let idle = try await TestClient(port: server.port)
            let busy = try await TestClient(port: server.port)
            try await busy.send(Self.get("/a"))
            await gate.waitForArrival()
            await server.stop()
            #expect(try await idle.rest() == "")
            gate.letOneThrough()
            let response = try await busy.rest()
            #expect(response.contains("Connection: close\r\n"))
            #expect(response.hasSuffix("done\n"))
        }
    }

    @Test func cancellingEndsAtOnce() async throws {
        let server = try TaskServer(TaskServerConfiguration(port: 0), router: Self.router)
        let task = Task { try await server.run() }
        let client = try await TestClient(port: server.port)
        try await client.send(Self.get("/a"))
        _ = try await client.response()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await client.rest() == "")
    }

    @Test func aStopBeforeTheStartCounts() async throws {
        let server = try TaskServer(TaskServerConfiguration(port: 0), router: Self.router)
        await server.stop()
        try await server.run()
    }

    @Test func whereItMayListen() throws {
        func fails(_ configuration: TaskServerConfiguration) -> TaskServerError? {
            do {
                _ = try TaskServer(configuration, router: Self.router)
                return nil
            } catch {
                return error as? TaskServerError
            }
        }
        #expect(fails(.init(host: "0.0.0.0", port: 0)) == .remoteNotAllowed(host: "0.0.0.0"))
        #expect(fails(.init(host: "::", port: 0)) == .remoteNotAllowed(host: "::"))
        #expect(fails(.init(host: "example.com", port: 0)) == .badHost("example.com"))
        #expect(fails(.init(host: "0.0.0.0", port: 0, allowRemote: true)) == nil)
        #expect(fails(.init(host: "localhost", port: 0)) == nil)
        let taken = try TaskServer(TaskServerConfiguration(port: 0), router: Self.router)
        guard case .cannotListen(_, taken.port, let reason) = fails(.init(port: taken.port)) else {
            Issue.record("two servers have one port")
            return
        }
        #expect(reason == "Address already in use")
    }

    @Test func addresses() {
        #expect(ServerAddress(host: "::1", port: 1)?.isLoopback == true)
        #expect(ServerAddress(host: "127.8.9.1", port: 1)?.isLoopback == true)
        #expect(ServerAddress(host: "192.168.0.1", port: 1)?.isLoopback == false)
        #expect(ServerAddress(host: "::ffff:127.0.0.1", port: 1)?.isLoopback == false)
    }
}

extension Substring {
    /// What follows the last `mark`.
    fileprivate func suffix(while mark: String) -> String {
        var rest = self
        while let range = rest.firstRange(of: mark) { rest = rest[range.upperBound...] }
        return String(rest)
    }
}
