import Dispatch

@testable import TaskServer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A raw TCP client. Its blocking calls run on a queue of its own, never on the threads that run tasks.
final class TestClient: @unchecked Sendable {
    struct Failure: Error {}

    // Only touched on `queue`, and by `deinit`.
    private var descriptor: Int32 = -1
    private var received: [UInt8] = []
    private let queue = DispatchQueue(label: "test-client")

    init(port: UInt16, host: String = "127.0.0.1") async throws {
        try await perform {
            guard let address = ServerAddress(host: host, port: port) else { throw Failure() }
            #if canImport(Glibc)
                self.descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
            #else
                self.descriptor = socket(address.family, SOCK_STREAM, 0)
            #endif
            guard address.withSockaddr({ connect(self.descriptor, $0, $1) }) == 0 else { throw Failure() }
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func send(_ text: String) async throws {
        try await perform {
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                guard case .bytes(let count) = rest.withUnsafeBytes({ Sockets.write(self.descriptor, $0) }) else {
                    throw Failure()
                }
                rest = rest.dropFirst(count)
            }
        }
    }

    func finishWriting() async throws {
        try await perform { _ = shutdown(self.descriptor, Int32(SHUT_WR)) }
    }

    func disconnect() async throws {
        try await perform {
            close(self.descriptor)
            self.descriptor = -1
        }
    }

    /// The next response: as many bytes as its head announces, none after HEAD.
    func response(toHead: Bool = false) async throws -> String {
        try await perform {
            while true {
                let text = String(decoding: self.received, as: UTF8.self)
                if let end = self.endOfHead(), let length = Self.contentLength(text) {
                    let total = end + (toHead ? 0 : length)
                    if self.received.count >= total {
                        defer { self.received.removeFirst(total) }
                        return String(decoding: self.received[..<total], as: UTF8.self)
                    }
                }
                guard self.readMore() else { throw Failure() }
            }
        }
    }

    /// Everything until the server ends the connection.
    func rest() async throws -> String {
        try await perform {
            while self.readMore() {}
            return String(decoding: self.received, as: UTF8.self)
        }
    }

    private func endOfHead() -> Int? {
        let mark: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard received.count >= 4 else { return nil }
        return (4...received.count).first { received[($0 - 4)..<$0].elementsEqual(mark) }
    }

    private static func contentLength(_ text: String) -> Int? {
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        return line.flatMap { Int($0.dropFirst(16)) }
    }

    private func readMore() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard case .bytes(let count) = buffer.withUnsafeMutableBytes({ Sockets.read(descriptor, into: $0) }) else {
            return false
        }
        received += buffer[..<count]
        return true
    }

    private func perform<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
