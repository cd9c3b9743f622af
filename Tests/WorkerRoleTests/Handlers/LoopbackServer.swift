import Foundation
import Synchronization

/// An HTTP/1.1 server on 127.0.0.1 that answers as a closure says, and tells what it sees.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        var line: String
        /// Names in lower case.
        var headers: [String: String]
        var body: [UInt8]
    }

    enum Answer: Sendable {
        /// These bytes; the connection stays open.
        case raw(String)
        /// These bytes, then the end of the connection.
        case cut(String)
        /// Nothing, until the client goes away.
        case silence
        /// A body that never ends, until the client goes away.
        case endless(String)

        static func status(_ status: String, headers: String = "", body: String = "") -> Answer {
            .raw("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        }
    }

    enum Seen: Sendable {
        case connected
        case request(Request)
        case disconnected
    }

    let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[Seen]>([])
    private let news: AsyncStream<Seen>.Continuation
    /// What is seen, as it is seen. For one reader.
    let events: AsyncStream<Seen>

    init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        (listener, port) = try Self.listen()
        (events, news) = AsyncStream.makeStream()
        let (listener, see) = (listener, { @Sendable [weak self] (event: Seen) -> Void in self?.see(event) })
        Thread.detachNewThread {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                see(.connected)
                Thread.detachNewThread { Self.serve(connection, answer, see) }
            }
            close(listener)
        }
    }

    /// Ends the listener; connections end with their clients.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    var url: URL { URL(string: "http://127.0.0.1:\(port)/hooks/report")! }

    var requests: [Request] {
        seen.withLock { seen in
            seen.compactMap { if case .request(let request) = $0 { request } else { nil } }
        }
    }

    var connections: Int { seen.withLock { seen in seen.count { if case .connected = $0 { true } else { false } } } }

    private func see(_ event: Seen) {
        seen.withLock { $0.append(event) }
        news.yield(event)
    }

    /// A port where nobody listens.
    static func deadPort() throws -> UInt16 {
        let (descriptor, port) = try listen()
        close(descriptor)
        return port
    }

    private static func listen() throws -> (Int32, UInt16) {
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #else
            let kind = Int32(SOCK_STREAM.rawValue)
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && systemListen(descriptor, 128) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isReady else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func serve(
        _ connection: Int32, _ answer: (Request) -> Answer, _ see: @escaping @Sendable (Seen) -> Void
    ) {
        defer {
            close(connection)
            see(.disconnected)
        }
        var pending: [UInt8] = []
        while let request = readRequest(connection, &pending) {
            see(.request(request))
            switch answer(request) {
            case .raw(let text):
                guard send(connection, text) else { return }
            case .cut(let text):
                _ = send(connection, text)
                return
            case .silence:
                while receive(connection) != nil {}
                return
            case .endless(let text):
                let more = String(repeating: "x", count: 65_536)
                guard send(connection, text) else { return }
                while send(connection, more) {}
                return
            }
        }
    }

    private static func readRequest(_ connection: Int32, _ pending: inout [UInt8]) -> Request? {
        let separator = Array("\r\n\r\n".utf8)
        while true {
            if let end = pending.firstRange(of: separator) {
                let lines = String(decoding: pending[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    guard let name = parts.first else { continue }
                    headers[name.lowercased()] =
                        parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
                }
                let length = max(0, Int(headers["content-length"] ?? "0") ?? 0)
                while pending.count < end.upperBound + length {
                    guard let more = receive(connection) else { return nil }
                    pending += more
                }
                let body = Array(pending[end.upperBound..<end.upperBound + length])
                pending.removeFirst(end.upperBound + length)
                return Request(line: lines[0], headers: headers, body: body)
            }
            guard let more = receive(connection) else { return nil }
            pending += more
            // The greeting of TLS, and whatever else is no request.
            guard let first = pending.first, first >= UInt8(ascii: "A") else { return nil }
        }
    }

    /// nil at the end of the connection.
    private static func receive(_ connection: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// False when the client has gone.
    private static func send(_ connection: Int32, _ text: String) -> Bool {
        #if canImport(Darwin)
            let flags: Int32 = 0
            var on: Int32 = 1
            setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemSend(connection, $0.baseAddress!, $0.count, flags) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

private func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 { listen(descriptor, backlog) }
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}
