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
    /// What a byte says.
    enum Word: UInt8 {
        /// Something was committed.
        case news = 1
        /// A handle has come: list the folder.
        case hello = 2
    }

    let descriptor: Int32
    private let folder: String
    private let name: String
    private let peers = Mutex<[String]>([])

    /// Nil when no socket can be bound; the fallback tick then does its work, slower.
    init?(databasePath: String) {
        folder = WakeFolder.path(for: databasePath, user: geteuid())
        name = "\(getpid())-\(WakeFolder.hexadecimal(.random(in: .min ... .max)))"
        guard WakeFolder.make(folder) else { return nil }
        #if canImport(Darwin)
            descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #else
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #endif
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        let path = folder + "/" + name
        let bound = Self.withAddress(path) { bind(descriptor, $0, $1) }
        guard bound == 0 else {
            close(descriptor)
            return nil
        }
        chmod(path, 0o600)
        relist()
        send(.hello)
    }

    /// Reads the folder anew.
    func relist() {
        let found = WakeFolder.list(folder).filter { $0 != name }
        peers.withLock { $0 = found }
    }

    /// Tells all other handles, without waiting for anyone.
    func send(_ word: Word) {
        let targets = peers.withLock { $0 }
        var gone: Set<String> = []
        for target in targets where !deliver(word, to: folder + "/" + target) { gone.insert(target) }
        guard !gone.isEmpty else { return }
        peers.withLock { $0.removeAll { gone.contains($0) } }
    }

    /// False when nobody is there any more.
    private func deliver(_ word: Word, to path: String) -> Bool {
        var byte = word.rawValue
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

    /// Empties the socket and says whether there was a word, and whether one was `hello`.
    func drain() -> (isWoken: Bool, isHello: Bool) {
        var isWoken = false
        var isHello = false
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) == 1 {
            isWoken = true
            if byte == Word.hello.rawValue { isHello = true }
        }
        return (isWoken, isHello)
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
