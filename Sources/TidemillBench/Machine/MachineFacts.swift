import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine that a run took place on.
struct MachineFacts: Codable, Sendable {
    var cores: Int
    var processor: String
    var memoryGibibytes: Double
    var system: String

    static func current() -> MachineFacts {
        let information = ProcessInfo.processInfo
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let model = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return MachineFacts(
            cores: information.activeProcessorCount,
            processor: model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor",
            memoryGibibytes: Double(information.physicalMemory) / Double(1 << 30),
            system: information.operatingSystemVersionString)
    }

    /// Of 1, 5 and 15 minutes.
    static func loadAverage() -> [Double] {
        var averages = [0.0, 0, 0]
        return getloadavg(&averages, 3) == 3 ? averages : []
    }
}
