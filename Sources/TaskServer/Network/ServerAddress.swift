#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A numeric IPv4 or IPv6 address with a port. Names are not looked up: what a server listens on must not depend on DNS.
struct ServerAddress {
    private enum Family {
        case ipv4(in_addr)
        case ipv6(in6_addr)
    }

    private let address: Family
    private let port: UInt16

    /// Nil when `host` is neither a numeric address nor `localhost`, which is 127.0.0.1.
    init?(host: String, port: UInt16) {
        self.port = port
        var ipv4 = in_addr()
        var ipv6 = in6_addr()
        if inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &ipv4) == 1 {
            address = .ipv4(ipv4)
        } else if inet_pton(AF_INET6, host, &ipv6) == 1 {
            address = .ipv6(ipv6)
        } else {
            return nil
        }
    }

    /// Only this machine can reach it.
    var isLoopback: Bool {
        switch address {
        case .ipv4(let value): UInt32(bigEndian: value.s_addr) >> 24 == 127
        case .ipv6(var value):
            withUnsafeBytes(of: &value) { Array($0) } == Array(repeating: 0, count: 15) + [1]
        }
    }

    var family: Int32 {
        switch address {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        }
    }

    func withSockaddr<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        switch address {
        case .ipv4(let value):
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            raw.sin_addr = value
            return Self.pass(&raw, body)
        case .ipv6(let value):
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            raw.sin6_addr = value
            return Self.pass(&raw, body)
        }
    }

    private static func pass<Raw, Value>(
        _ raw: inout Raw, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        withUnsafePointer(to: &raw) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Raw>.size)) }
        }
    }
}
