import Foundation
import ServiceRuntime
import Synchronization
import TaskModel
import Testing

@testable import WorkerRole

extension HandlerIOTests {
    @Suite struct HTTPHandlerTests {
        private func run(
            _ server: LoopbackServer, payload: [UInt8] = [], change: (inout HTTPConfiguration) -> Void = { _ in }
        ) async throws {
            var configuration = HTTPConfiguration(server.url)
            change(&configuration)
            try await HTTPHandler(configuration, time: HeldTime()).run(Fixture.context(payload: payload))
        }

        @Test func theEventIsPosted() async throws {
            let server = try LoopbackServer { _ in .status("204 No Content") }
            try await run(server, payload: Array("{\"a\":1}".utf8)) { $0.headers = ["X-Key": "k"] }
            let request = try #require(server.requests.first)
            #expect(request.line == "POST /hooks/report HTTP/1.1")
            #expect(request.body == Array("{\"a\":1}".utf8))
            let expected = try HTTPHeaders.headers(for: Fixture.context(), configured: ["X-Key": "k"])
            for (name, value) in expected { #expect(request.headers[name.lowercased()] == value, "\(name)") }
            #expect(request.headers["content-type"] == "application/octet-stream")
            #expect(request.headers["cookie"] == nil)
        }

        @Test(arguments: [HTTPConfiguration.Method.put, .patch])
        func theMethodIsConfigurable(_ method: HTTPConfiguration.Method) async throws {
            let server = try LoopbackServer { _ in .status("200 OK") }
            try await run(server) { $0.method = method }
            #expect(server.requests.first?.line == "\(method.rawValue) /hooks/report HTTP/1.1")
            #expect(server.requests.first?.headers["content-length"] == "0")
        }

        @Test func aLargePayloadArrivesWhole() async throws {
            let server = try LoopbackServer { _ in .status("200 OK", body: "fine") }
            let payload = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await run(server, payload: payload)
            #expect(server.requests.first?.body == payload)
            #expect(server.requests.first?.headers["expect"] == nil, "it would wait a second for an answer to it")
        }

        @Test func theStatusDecides() async throws {
            let answers: [(LoopbackServer.Answer, TaskFailure.Kind)] = [
                (.status("404 Not Found", body: "no such hook"), .fail("http-404")),
                (.status("401 Unauthorized", headers: "WWW-Authenticate: Basic realm=\"x\"\r\n"), .fail("http-401")),
                (
                    .status("401 Unauthorized", headers: "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n"),
                    .fail("http-401")
                ),
                (.status("401 Unauthorized", headers: "WWW-Authenticate: Bearer realm=\"x\"\r\n"), .fail("http-401")),
                (.status("401 Unauthorized", headers: "WWW-Authenticate: Negotiate\r\n"), .fail("http-401")),
                (.status("401 Unauthorized", headers: "WWW-Authenticate: ,,\r\n"), .fail("http-401")),
                (.status("401 Unauthorized", headers: "WWW-Authenticate: Bearer\r\n"), .fail("http-401")),
                (.status("401 Unauthorized", headers: "WWW-Authenticate: NTLM\r\n"), .fail("http-401")),
                (.raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), .fail("http-404")),
                (.cut("not HTTP at all"), .retry("http-connect")),
                (.status("401 Unauthorized"), .fail("http-401")),
                (.status("407 Proxy", headers: "Proxy-Authenticate: Basic realm=\"x\"\r\n"), .fail("http-407")),
                (.status("500 Internal Server Error"), .retry("http-500")),
                (.status("429 Too Many Requests", headers: "Retry-After: 7\r\n"), .retryAfter(7000, "http-429")),
                (
                    .status("503 Unavailable", headers: "Retry-After: Thu, 01 Jan 1970 00:00:05 GMT\r\n"),
                    .retryAfter(4000, "http-503")
                ),
                (.status("302 Found", headers: "Location: http://127.0.0.1:1/other\r\n"), .fail("http-302")),
                (.status("304 Not Modified"), .fail("http-304")),
            ]
            for (answer, kind) in answers {
                let server = try LoopbackServer { _ in answer }
                let failure = await Fixture.failure { try await run(server) }
                #expect(failure?.kind == kind)
                #expect(server.requests.count == 1, "\(kind): one attempt is one request")
            }
        }

        @Test func aRedirectIsNotFollowed() async throws {
            let other = try LoopbackServer { _ in .status("200 OK") }
            let place = other.url.absoluteString
            let server = try LoopbackServer { _ in .status("307 Moved", headers: "Location: \(place)\r\n") }
            let failure = await Fixture.failure { try await run(server) }
            #expect(
                failure
                    == .fail(
                        code: "http-307",
                        "POST \(server.url.absoluteString) redirects to \(place), which is not followed")
            )
            #expect(other.connections == 0)
        }

        @Test func aBodyWithoutEndIsCutOff() async throws {
            let server = try LoopbackServer { _ in
                .endless("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100000000000\r\n\r\nbroken ")
            }
            let failure = await Fixture.failure { try await run(server) { $0.responseLimit = 5000 } }
            #expect(failure?.kind == .retry("http-500"))
            for await event in server.events { if case .disconnected = event { break } }
        }

        @Test func theStatusStandsEvenIfTheBodyIsCutShort() async throws {
            let server = try LoopbackServer { _ in .cut("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") }
            try await run(server)
        }

        @Test func connectionsThatFailAreTriedAgain() async throws {
            let port = try LoopbackServer.deadPort()
            let handler = try HTTPHandler(HTTPConfiguration(URL(string: "http://127.0.0.1:\(port)/p?key=secret")!))
            guard
                case .retry("http-connect", let message) = await Fixture.failure({
                    try await handler.run(Fixture.context())
                })
            else {
                Issue.record("a refused connection must be tried again")
                return
            }
            #expect(message.hasPrefix("POST http://127.0.0.1:\(port)/p: "))
            #expect(!message.contains("secret"))

            let server = try LoopbackServer { _ in .cut("") }
            let failure = await Fixture.failure { try await run(server) }
            #expect(failure?.kind == .retry("http-connect"))
        }

        @Test func aServerWithoutTLSIsNoHTTPSServer() async throws {
            let server = try LoopbackServer { _ in .status("200 OK") }
            let url = try #require(URL(string: "https://127.0.0.1:\(server.port)/"))
            let failure = await Fixture.failure { try await run(server) { $0.url = url } }
            #expect(failure?.kind == .retry("http-connect"))
            #expect(server.requests.isEmpty)
        }

        @Test func cancellationClosesTheConnection() async throws {
            let server = try LoopbackServer { _ in .silence }
            let task = Task { try await run(server) }
            var events = server.events.makeAsyncIterator()
            while let event = await events.next() { if case .request = event { break } }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            while let event = await events.next() { if case .disconnected = event { break } }
        }

        /// Each must come to an end, wherever in its course the cancellation meets it.
        @Test func cancellationAtAnyMoment() async throws {
            let server = try LoopbackServer { _ in .status("200 OK") }
            let handler = try HTTPHandler(HTTPConfiguration(server.url))
            for round in 0..<100 {
                let task = Task { try await handler.run(Fixture.context()) }
                for _ in 0..<round { await Task.yield() }
                task.cancel()
                do { try await task.value } catch { #expect(error is CancellationError) }
            }
            try await handler.run(Fixture.context())
        }

        @Test func cookiesAreNotKept() async throws {
            let server = try LoopbackServer { _ in .status("200 OK", headers: "Set-Cookie: a=b; Path=/\r\n") }
            let handler = try HTTPHandler(HTTPConfiguration(server.url))
            try await handler.run(Fixture.context())
            try await handler.run(Fixture.context())
            #expect(server.requests.map { $0.headers["cookie"] } == [nil, nil])
        }

        /// Each answer waits for a second request, so the bound is reached, and must not be passed.
        @Test func connectionsAreBoundedAndKept() async throws {
            let barrier = Barrier(2)
            let server = try LoopbackServer { _ in
                barrier.wait()
                return .status("200 OK")
            }
            var configuration = HTTPConfiguration(server.url)
            configuration.connections = 2
            let handler = try HTTPHandler(configuration)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await handler.run(Fixture.context()) } }
                try await group.waitForAll()
            }
            #expect(server.requests.count == 20)
            #expect(server.connections == 2)
        }

        @Test func theConnectionsEndWithTheHandler() async throws {
            let server = try LoopbackServer { _ in .status("200 OK") }
            try await run(server)
            for await event in server.events { if case .disconnected = event { break } }
        }

        /// A connection that was kept may be closed by the server just as it is used again. The request goes out again then,
        /// and must be whole.
        @Test func aKeptConnectionThatEndsIsReplaced() async throws {
            let count = Mutex(0)
            let server = try LoopbackServer { _ in
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                return number == 2 ? .cut("") : .status("200 OK")
            }
            let handler = try HTTPHandler(HTTPConfiguration(server.url))
            let payload = [UInt8](repeating: 7, count: 100_000)
            try await handler.run(Fixture.context(payload: payload))
            do {
                try await handler.run(Fixture.context(payload: payload))
            } catch {
                #expect((error as? TaskFailure)?.kind == .retry("http-connect"))
            }
            #expect(server.requests.allSatisfy { $0.body == payload })
            try await handler.run(Fixture.context(payload: payload))
        }

        @Test func aRequestThatWaitsForItsTurnCanBeCancelled() async throws {
            let server = try LoopbackServer { _ in .silence }
            var configuration = HTTPConfiguration(server.url)
            configuration.connections = 1
            let handler = try HTTPHandler(configuration)
            let first = Task { try await handler.run(Fixture.context()) }
            for await event in server.events { if case .request = event { break } }
            let second = Task { try await handler.run(Fixture.context()) }
            second.cancel()
            await #expect(throws: CancellationError.self) { try await second.value }
            #expect(server.requests.count == 1)
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
        }

        /// No answer comes before all requests are there, so it ends only if they are there together.
        @Test func requestsRunSideBySide() async throws {
            let count = 16
            let barrier = Barrier(count)
            let server = try LoopbackServer { _ in
                barrier.wait()
                return .status("200 OK")
            }
            let handler = try HTTPHandler(HTTPConfiguration(server.url))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count { group.addTask { try await handler.run(Fixture.context()) } }
                try await group.waitForAll()
            }
            #expect(server.connections == count)
        }
    }
}

/// One second after the epoch, for ever.
private struct HeldTime: TimeSource {
    func now() -> Timestamp { Timestamp(milliseconds: 1000) }
    func uptime() -> Int64 { 0 }
    func sleep(milliseconds: Int64) async throws { throw CancellationError() }
}

/// Lets threads pass in groups of `count`: nobody before the group is full.
private final class Barrier: Sendable {
    private let missing: Mutex<Int>
    private let count: Int
    private let gate = DispatchSemaphore(value: 0)

    init(_ count: Int) {
        self.count = count
        missing = Mutex(count)
    }

    func wait() {
        let isLast = missing.withLock { missing in
            missing -= 1
            guard missing == 0 else { return false }
            missing = count
            return true
        }
        if isLast { for _ in 0..<count { gate.signal() } }
        gate.wait()
    }
}

extension TaskFailure {
    /// A failure without its message.
    fileprivate enum Kind: Equatable {
        case retry(String)
        case retryAfter(Int64, String)
        case fail(String)
        case other
    }

    fileprivate var kind: Kind {
        switch self {
        case .retry(let code, _): .retry(code)
        case .retryAfter(let delay, let code, _): .retryAfter(delay, code)
        case .fail(let code, _): .fail(code)
        case .snooze, .cancel, .undecodable: .other
        }
    }
}
