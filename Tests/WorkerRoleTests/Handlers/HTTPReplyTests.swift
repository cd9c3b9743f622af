import Foundation
import TaskModel
import Testing

@testable import WorkerRole

@Suite struct HTTPReplyTests {
    private func failure(
        _ status: Int, retryAfter: String? = nil, location: String? = nil, body: String = ""
    ) -> TaskFailure? {
        HTTPReply(status: status, retryAfter: retryAfter, location: location, body: Array(body.utf8))
            .failure(of: "POST http://h/p", now: Timestamp(milliseconds: 0))
    }

    @Test(arguments: [200, 201, 202, 204, 299])
    func successIsDone(_ status: Int) {
        #expect(failure(status, retryAfter: "7", body: "ok") == nil)
    }

    @Test(arguments: [408, 425, 429, 500, 502, 503, 504, 599])
    func temporaryFailuresAreTriedAgain(_ status: Int) {
        #expect(
            failure(status, body: " busy ")
                == .retry(code: "http-\(status)", "POST http://h/p answered \(status): busy"))
    }

    @Test(arguments: [400, 401, 403, 404, 409, 410, 413, 422, 499, 600])
    func otherFailuresAreFinal(_ status: Int) {
        #expect(failure(status) == .fail(code: "http-\(status)", "POST http://h/p answered \(status)"))
    }

    @Test func retryAfterIsHeardWhereItHasAMeaning() {
        for status in [429, 503] {
            #expect(
                failure(status, retryAfter: "7")
                    == .retryAfter(
                        milliseconds: 7000, code: "http-\(status)", "POST http://h/p answered \(status)"))
            #expect(
                failure(status, retryAfter: "soon")
                    == .retry(code: "http-\(status)", "POST http://h/p answered \(status)"))
        }
        #expect(failure(500, retryAfter: "7") == .retry(code: "http-500", "POST http://h/p answered 500"))
    }

    @Test func aRedirectIsFinalAndNamesItsPlaceWithoutTheQuery() {
        #expect(
            failure(307, location: "https://other/p?token=secret")
                == .fail(
                    code: "http-307", "POST http://h/p redirects to https://other/p, which is not followed"))
    }

    @Test func theMessageIsBounded() {
        guard case .retry(_, let message) = failure(500, body: String(repeating: "ä", count: 5000)) else {
            Issue.record("a 500 must be tried again")
            return
        }
        #expect((1023...1024).contains(message.utf8.count))
        #expect(message.hasSuffix("ä"))
    }
}

@Suite struct HTTPConfigurationTests {
    private let url = URL(string: "https://example.org:8443/hook?key=secret")!

    @Test func problemsNameTheirPlace() {
        #expect(HTTPConfiguration(url, headers: ["Authorization": "Bearer x"]).problems.isEmpty)
        #expect(HTTPConfiguration(URL(string: "ftp://h/")!).problems == ["url must be http or https"])
        #expect(HTTPConfiguration(URL(string: "http:///p")!).problems == ["url must name a host"])
        #expect(
            HTTPConfiguration(URL(string: "http://a:b@h/")!).problems
                == ["url must not hold a user or password: use a header"])
        let bad = HTTPConfiguration(
            url,
            headers: ["Ce-Id": "1", "content-TYPE": "x", "a b": "1", "X-A": "1\r\nX-B: 2", "x-a": "2", "Host": "h"],
            connections: 0, responseLimit: -1)
        #expect(bad.problems.count == 8)
        #expect(throws: HandlerConfigurationError.self) { try HTTPHandler(bad) }
    }

    @Test func noDescriptionShowsASecret() {
        let configuration = HTTPConfiguration(url, headers: ["Authorization": "Bearer secret"])
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped, configuration.target] {
            #expect(!text.contains("secret"))
        }
        #expect(configuration.target == "POST https://example.org:8443/hook")
    }
}

@Suite struct HTTPHeadersTests {
    @Test func theEventIsInBinaryMode() throws {
        let context = Fixture.context { event in
            event.contentType = "application/json"
            event.publishedAt = Timestamp(milliseconds: 0)
            event.scheduleID = "nightly"
            event.nominalTime = Timestamp(milliseconds: 250)
            event.partitionKey = "Zoë \"7\""
            event.traceParent = "00-a-b-01"
            event.extraHeaders = [
                RecordHeader("ce_tenant", "x y"), RecordHeader("authorization", "forged"),
                RecordHeader("ce_bad-name", "1"), RecordHeader("ce_id", "forged"),
            ]
        }
        #expect(
            try HTTPHeaders.headers(for: context, configured: ["X-Key": "k", "user-agent": "mine"]) == [
                "user-agent": "mine", "X-Key": "k", "Content-Type": "application/json",
                "Idempotency-Key": "00112233445566778899aabbccddeeff", "traceparent": "00-a-b-01",
                "ce-specversion": "1.0", "ce-id": "id-1", "ce-source": "/tests", "ce-type": "tidemill.task.due",
                "ce-subject": "report", "ce-time": "1970-01-01T00:00:00Z",
                "ce-fingerprint": "00112233445566778899aabbccddeeff", "ce-replay": "0", "ce-turn": "1",
                "ce-attempt": "1", "ce-partitionkey": "Zo%C3%AB%20%227%22", "ce-traceparent": "00-a-b-01",
                "ce-scheduleid": "nightly", "ce-nominaltime": "1970-01-01T00:00:00.250Z", "ce-queue": "default",
                "ce-fencingtoken": "3-7-2", "ce-deadline": "2023-11-14T22:13:20Z", "ce-tenant": "x%20y",
            ])
    }

    @Test func anEventCannotAddAHeader() {
        let context = Fixture.context { $0.contentType = "text/plain\r\nAuthorization: forged" }
        #expect(throws: TaskFailure.self) { try HTTPHeaders.headers(for: context, configured: [:]) }
        #expect(HTTPHeaders.percentEncoded("a\r\nb%") == "a%0D%0Ab%25")
    }
}

@Suite struct HTTPHeadReaderTests {
    private func read(_ lines: [String]) -> [HTTPReply] {
        var reader = HTTPHeadReader()
        return lines.compactMap { reader.read(line: Array($0.utf8)) }
    }

    @Test func theHeadIsCompleteAtTheEmptyLine() {
        #expect(
            read(["HTTP/1.1 503 Busy\r\n", "retry-AFTER:  7 \r\n", "Location: /x:y\r\n", "Bad\r\n", "\r\n"])
                == [HTTPReply(status: 503, retryAfter: "7", location: "/x:y", body: [])])
        #expect(read(["HTTP/2 204 \n", "\n"]) == [HTTPReply(status: 204, body: [])])
        #expect(read(["HTTP/1.1 200 OK\r\n"]) == [])
    }

    @Test func interimAnswersAndTrailersArePassedOver() {
        #expect(
            read([
                "HTTP/1.1 103 Early Hints\r\n", "Retry-After: 1\r\n", "\r\n", "HTTP/1.1 200 OK\r\n", "\r\n",
                "Location: /trailer\r\n", "\r\n",
            ]) == [HTTPReply(status: 200, body: [])])
    }
}
