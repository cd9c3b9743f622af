#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The system calls of the server. Every descriptor is closed by `exec`, and none blocks.
enum Sockets {
    /// What a read or write came to.
    enum Transfer: Equatable {
        case bytes(Int)
        case wouldBlock
        case ended
        case failed
    }

    /// A listening socket on `address`; throws the system's words.
    static func listen(_ address: ServerAddress) throws(SystemFailure) -> Int32 {
        let descriptor = socket(address.family, streamType, 0)
        guard descriptor >= 0 else { throw SystemFailure() }
        configure(descriptor)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if address.family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        guard address.withSockaddr({ bind(descriptor, $0, $1) }) == 0, systemListen(descriptor, 64) == 0 else {
            let failure = SystemFailure()
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// The port that a listening socket got.
    static func port(of descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            _ = bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress!, &size) }
            // The port lies at the same place in an IPv4 and an IPv6 address.
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// The next waiting client; nil when there is none, or no descriptor for it.
    static func accept(_ listener: Int32) -> Int32? {
        let descriptor = systemAccept(listener)
        guard descriptor >= 0 else { return nil }
        configure(descriptor)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        result(of: recv(descriptor, buffer.baseAddress, buffer.count, 0), zeroIsEnd: true)
    }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Transfer {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        return result(of: send(descriptor, bytes.baseAddress, bytes.count, flags), zeroIsEnd: false)
    }

    private static func result(of count: Int, zeroIsEnd: Bool) -> Transfer {
        if count > 0 || (count == 0 && !zeroIsEnd) { return .bytes(count) }
        if count == 0 { return .ended }
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? .wouldBlock : .failed
    }

    static func makePipe() throws(SystemFailure) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemFailure() }
        for end in ends { configure(end) }
        return (ends[0], ends[1])
    }

    private static func configure(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        #if canImport(Darwin)
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #endif
    }

    private static var streamType: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #else
            SOCK_STREAM
        #endif
    }
}

/// What the system said about a failed call.
struct SystemFailure: Error, Hashable, CustomStringConvertible {
    let code = errno
    var description: String { String(cString: strerror(code)) }
}

private func systemListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 {
    listen(descriptor, backlog)
}

private func systemAccept(_ listener: Int32) -> Int32 {
    accept(listener, nil, nil)
}
