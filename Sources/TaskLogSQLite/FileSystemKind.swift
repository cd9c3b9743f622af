import CSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What kind of file system a file lies on, as far as it matters: WAL mode needs memory shared by all who open the
/// file and byte-range locks that everybody sees, which no network file system gives.
enum FileSystemKind: Hashable {
    case local
    case network(String)

    /// By the `f_type` of statfs(2), and the mount's type by name for FUSE, whose number says nothing.
    static func of(magic: UInt32, mountType: String?) -> FileSystemKind {
        if magic == 0x6573_5546 {
            let type = mountType ?? "fuse"
            return remoteFuse.contains { type.hasPrefix("fuse.\($0)") } ? .network(type) : .local
        }
        return networks[magic].map { .network($0) } ?? .local
    }

    private static let networks: [UInt32: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x0102_1997: "9P",
        0x00C3_6400: "Ceph", 0x5346_414F: "AFS", 0x6B41_4653: "AFS", 0x7375_7245: "Coda", 0x564C: "NCP",
        0x0116_1970: "GFS2", 0x7461_636F: "OCFS2", 0x0BD0_0BD0: "Lustre", 0x4750_4653: "GPFS", 0x1983_0326: "BeeGFS",
    ]

    private static let remoteFuse = [
        "sshfs", "s3fs", "gcsfuse", "rclone", "glusterfs", "ceph", "davfs", "curlftpfs", "goofys", "mount-s3",
        "blobfuse", "juicefs", "seaweedfs", "moosefs", "mfs", "smbnetfs", "nfs",
    ]

    /// The kind under an existing folder. A system that does not say is taken for local.
    static func at(folder: String) -> FileSystemKind {
        #if canImport(Darwin)
            var status = statfs()
            guard statfs(folder, &status) == 0 else { return .local }
            guard status.f_flags & UInt32(MNT_LOCAL) == 0 else { return .local }
            return .network("a network mount")
        #else
            return of(magic: tidemill_file_system_magic(folder), mountType: mountType(of: folder))
        #endif
    }

    #if !canImport(Darwin)
        private static func mountType(of folder: String) -> String? {
            guard let table = readSmallFile("/proc/self/mountinfo") else { return nil }
            return mountType(of: folder, table: table)
        }
    #endif

    /// The type of the mount with the longest path above `folder`, from the text of /proc/self/mountinfo.
    static func mountType(of folder: String, table: String) -> String? {
        var best: (length: Int, type: String)?
        for line in table.split(separator: "\n") {
            let halves = line.split(separator: " ").split(separator: "-", maxSplits: 1)
            guard halves.count == 2, let type = halves[1].first, halves[0].count >= 5 else { continue }
            let point = String(halves[0][halves[0].startIndex + 4])
            let isAbove = point == "/" || folder == point || folder.hasPrefix(point + "/")
            // The last of equals wins: it is mounted over the earlier ones.
            if isAbove, point.utf8.count >= best?.length ?? 0 { best = (point.utf8.count, String(type)) }
        }
        return best?.type
    }
}

/// The text of a file of the system that has no size to ask for; at most 1 MiB.
func readSmallFile(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while bytes.count < 1 << 20 {
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { break }
        bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
}
