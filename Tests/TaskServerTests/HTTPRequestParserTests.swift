import Testing

@testable import TaskServer

struct HTTPRequestParserTests {
    private func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) -> HTTPRequestParser.Result {
        var parser = HTTPRequestParser(limits: limits)
        parser.append(text.utf8)
        return parser.next()
    }

    private func parsed(_ text: String) -> HTTPRequest? {
        if case .request(let request) = parse(text) { request } else { nil }
    }

    private func status(_ text: String, limits: HTTPLimits = HTTPLimits()) -> Int? {
        if case .failure(let status, _) = parse(text, limits: limits) { status.code } else { nil }
    }

    @Test func aRequest() throws {
        let request = try #require(
            parsed("GET /metrics?a=b HTTP/1.1\r\nHost: localhost:1\r\nX-Key:  a b \t\r\n\r\n"))
        #expect(request.method == "GET")
        #expect(request.path == "/metrics")
        #expect(request.query == "a=b")
        #expect(request.header("x-key") == "a b")
        #expect(request.keepsAlive)
        #expect(request.body == [])
    }

    @Test func bodiesAndPipelining() {
        var parser = HTTPRequestParser(limits: HTTPLimits())
        parser.append(
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        guard case .request(let first) = parser.next(), case .request(let second) = parser.next() else {
            Issue.record("two requests lie there")
            return
        }
        #expect(first.body == Array("hello".utf8))
        #expect(second.path == "/b")
        #expect(parser.isEmpty)
        #expect(parser.next() == .incomplete)
    }

    @Test func piecesOfAnySize() {
        let text = "\r\nPOST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok"
        for size in 1...text.utf8.count {
            var parser = HTTPRequestParser(limits: HTTPLimits())
            var found: [String] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                parser.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                if case .request(let request) = parser.next() { found.append(request.path) }
            }
            #expect(found == ["/a"], "in pieces of \(size)")
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", false), ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", true),
    ])
    func keepingAlive(text: String, keepsAlive: Bool) {
        #expect(parsed(text)?.keepsAlive == keepsAlive)
    }

    @Test func absoluteTargets() {
        #expect(parsed("GET http://h:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n")?.path == "/a")
        #expect(parsed("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n")?.path == "/")
    }

    @Test(arguments: [
        ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("G@T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505), ("GET / HTCPCP/1.0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400), ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\u{0}: b\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1,1\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", 417),
    ])
    func refused(text: String, code: Int) {
        #expect(status(text) == code)
    }

    @Test func theHeadIsBounded() {
        let limits = HTTPLimits()
        #expect(status("GET /" + String(repeating: "a", count: limits.headBytes)) == 431)
        let long = "GET / HTTP/1.1\r\nHost: h\r\nX: " + String(repeating: "a", count: limits.headBytes) + "\r\n\r\n"
        #expect(status(long) == 431)
        let many = String(repeating: "X: y\r\n", count: limits.headers)
        #expect(status("GET / HTTP/1.1\r\nHost: h\r\n\(many)\r\n") == 431)
        #expect(parse("GET /" + String(repeating: "a", count: limits.headBytes - 100)) == .incomplete)
    }
}
