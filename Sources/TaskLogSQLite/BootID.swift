#if canImport(Darwin)
    import Darwin
#endif

/// The identity of the running boot: uptimes of different boots cannot be compared.
enum BootID {
    static func current() -> String {
        #if canImport(Darwin)
            var size = 0
            guard sysctlbyname("kern.bootsessionuuid", nil, &size, nil, 0) == 0 else { return "unknown" }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname("kern.bootsessionuuid", &bytes, &size, nil, 0) == 0 else { return "unknown" }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        #else
            let text = readSmallFile("/proc/sys/kernel/random/boot_id") ?? "unknown"
            return String(text.prefix { !$0.isWhitespace })
        #endif
    }
}
