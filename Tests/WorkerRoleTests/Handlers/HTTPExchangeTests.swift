import Testing

@testable import WorkerRole

@Suite struct HTTPExchangeTests {
    private struct Broken: Error {}

    private let exchange = HTTPExchange(responseLimit: 4)

    /// The result of an exchange in whose course `steps` happens.
    private func result(_ steps: (HTTPExchange) -> Void) async throws -> HTTPReply {
        try await withCheckedThrowingContinuation { continuation in
            _ = exchange.begin(continuation)
            steps(exchange)
        }
    }

    @Test func theBodyIsBounded() async throws {
        let reply = try await result { exchange in
            exchange.receive(head: HTTPReply(status: 200, body: []))
            #expect(exchange.receive([1, 2, 3]))
            #expect(!exchange.receive([4, 5]))
            #expect(exchange.isOver)
            #expect(!exchange.receive([6]))
            exchange.complete(Broken())
            #expect(!exchange.cancel())
        }
        #expect(reply == HTTPReply(status: 200, body: [1, 2, 3, 4]))
    }

    @Test func theStatusStandsWhateverEndsTheTransfer() async throws {
        let reply = try await result { exchange in
            exchange.receive(head: HTTPReply(status: 500, body: []))
            exchange.complete(Broken())
        }
        #expect(reply.status == 500)
    }

    @Test func theStatusStandsAgainstACancellation() async throws {
        let reply = try await result { exchange in
            exchange.receive(head: HTTPReply(status: 200, body: []))
            #expect(exchange.cancel(), "the rest of the transfer is not wanted")
        }
        #expect(reply.status == 200)
    }

    @Test func withoutAStatusTheErrorIsThrown() async {
        await #expect(throws: Broken.self) { try await result { $0.complete(Broken()) } }
    }

    @Test func aCancellationBeforeTheStatusEndsIt() async {
        await #expect(throws: CancellationError.self) {
            try await result { exchange in
                #expect(exchange.cancel())
                #expect(exchange.isOver)
                exchange.receive(head: HTTPReply(status: 200, body: []))
                #expect(!exchange.receive([1]))
            }
        }
    }

    @Test func aCancellationBeforeTheStartKeepsItFromStarting() async {
        #expect(!exchange.cancel())
        await #expect(throws: CancellationError.self) {
            try await withCheckedThrowingContinuation { continuation in
                #expect(!exchange.begin(continuation))
            }
        }
    }
}
