import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a parent may do to the process from inside, by lines on its standard input. When that ends, so does the process.
enum RoleControl: Hashable, Sendable {
    /// The wall clock is this many milliseconds ahead.
    case clock(Int64)
    /// Every network connection breaks.
    case cut
    /// No file grows beyond so many bytes; nil: as before.
    case fileLimit(UInt64?)

    var line: String {
        switch self {
        case .clock(let milliseconds): "clock \(milliseconds)"
        case .cut: "cut"
        case .fileLimit(let bytes): "limit \(bytes.map(String.init) ?? "none")"
        }
    }

    init?(line: some StringProtocol) {
        let words = line.split(separator: " ")
        switch (words.first, words.count) {
        case ("clock", 2):
            guard let milliseconds = Int64(words[1]) else { return nil }
            self = .clock(milliseconds)
        case ("cut", 1): self = .cut
        case ("limit", 2):
            guard words[1] == "none" || UInt64(words[1]) != nil else { return nil }
            self = .fileLimit(UInt64(words[1]))
        default: return nil
        }
    }
}

/// Obeys them.
enum RoleControls {
    /// For ``RoleProcess``: what to do at a line of the parent.
    static func listener(_ time: SteppedTimeSource) -> @Sendable (Substring) -> Void {
        // A write beyond the limit then fails, as one to a full disk does.
        signal(SIGXFSZ, SIG_IGN)
        return { line in
            if let control = RoleControl(line: line) { obey(control, time) }
        }
    }

    private static func obey(_ control: RoleControl, _ time: SteppedTimeSource) {
        switch control {
        case .clock(let milliseconds): time.step(to: milliseconds)
        case .cut: cutConnections()
        case .fileLimit(let bytes): limitFiles(bytes)
        }
    }

    private static func cutConnections() {
        for descriptor in 0..<Int32(1024) {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let isConnected = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) == 0 }
            }
            guard isConnected, [sa_family_t(AF_INET), sa_family_t(AF_INET6)].contains(address.ss_family) else {
                continue
            }
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    private static func limitFiles(_ bytes: UInt64?) {
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        #else
            let resource = RLIMIT_FSIZE
        #endif
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = bytes.map { rlim_t($0) } ?? limit.rlim_max
        setrlimit(resource, &limit)
    }
}
