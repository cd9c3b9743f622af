import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A handle's ear and voice: a Unix datagram socket in the wake folder of its file. A byte in it means "look at the file".
///
/// A datagram may be lost (a full buffer already wakes the other side) and a handle that was killed leaves its socket
/// behind: whoever finds nobody behind one removes it.
final class WakeSocket: Sendable {
    /// The other handles as of the last listing of the folder.
    private struct Peers {
        var names: [String] = []
        /// The folder's change time that the listing is good for; nil: list again.
        var changeTime: Int64?
    }

    let descriptor: Int32
    private let folder: String
    private let name: String
    private let peers = Mutex(Peers())

    /// Nil when no socket can be bound; the fallback tick then does its work, slower.
    init?(databasePath: String) {
        folder = WakeFolder.path(for: databasePath, user: geteuid())
        name = "\(getpid())-\(WakeFolder.hexadecimal(.random(in: .min ... .max)))"
        #if canImport(Darwin)
            descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #else
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #endif
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        let path = folder + "/" + name
        guard Self.bindSocket(descriptor, in: folder, path) else {
            close(descriptor)
            return nil
        }
        chmod(path, 0o600)
    }

    /// Tells all other handles that something was committed, without waiting for anyone.
    ///
    /// Who binds its socket before it reads the file either reads the commit or is found here after it. So every call
    /// looks whether the folder has changed, which costs a microsecond; listing it costs more and is rare.
    func announce() {
        peers.withLock { peers in
            refresh(&peers)
            peers.names.removeAll { !deliver(to: folder + "/" + $0) }
        }
    }

    private func refresh(_ peers: inout Peers) {
        let now = WakeFolder.now()
        let changeTime = WakeFolder.changeTime(folder)
        guard peers.changeTime == nil || peers.changeTime != changeTime else { return }
        peers.names = WakeFolder.list(folder).filter { $0 != name }
        // Change times are as coarse as the kernel's tick: soon after a change, another one may show the same time.
        let isSettled = changeTime.map { now - $0 > Self.coarseness } ?? false
        peers.changeTime = isSettled ? changeTime : nil
    }

    private static let coarseness: Int64 = 100_000_000

    /// False when nobody is there any more.
    private func deliver(to path: String) -> Bool {
        var byte: UInt8 = 1
        let sent = Self.withAddress(path) { sendto(descriptor, &byte, 1, 0, $0, $1) }
        guard sent < 0 else { return true }
        switch errno {
        case ECONNREFUSED:
            unlink(path)
            return false
        case ENOENT, ENOTSOCK, EPROTOTYPE: return false
        default: return true
        }
    }

    /// Empties the socket: what all the bytes in it ask for is one look.
    func drain() {
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) == 1 {}
    }

    private static func bindSocket(_ descriptor: Int32, in folder: String, _ path: String) -> Bool {
        // The handle that was the last one may remove the folder between the two steps; a few handles, a few tries.
        for _ in 0..<5 {
            guard WakeFolder.make(folder) else { return false }
            let bound = withAddress(path) { bind(descriptor, $0, $1) }
            if bound == 0 { return true }
            guard errno == ENOENT else { return false }
        }
        return false
    }

    func closeAndRemove() {
        unlink(folder + "/" + name)
        close(descriptor)
        // Succeeds for the last one only.
        rmdir(folder)
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        Int32(withAddress(path) { Int(body($0, $1)) })
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int) -> Int {
        guard path.utf8.count <= WakeFolder.maximumPathBytes else { return -1 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }
}
