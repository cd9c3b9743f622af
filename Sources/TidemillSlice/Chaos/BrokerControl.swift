import Foundation
import ServiceRuntime

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The brokers that `scripts/kafka` started, by the process numbers that it left in its folder.
struct BrokerControl: Sendable {
    var folder: String
    var port: Int
    var count: Int

    func processID(_ number: Int) throws -> Int32 {
        let path = "\(folder)/node-\(number)/pid"
        let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let processID = Int32(text) else { throw SliceFailure("\(path) holds no process number") }
        return processID
    }

    func signal(_ number: Int, _ signal: Int32) throws { kill(try processID(number), signal) }

    /// Starts those that were killed, and waits until all answer.
    func restart() async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "scripts/kafka")
        process.arguments = ["up", "--port", "\(port)", "--brokers", "\(count)"]
        process.environment = ProcessInfo.processInfo.environment.merging(["TIDEMILL_KAFKA_DIR": folder]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.standardError
        let ended = OneShot()
        process.terminationHandler = { _ in ended.fire() }
        try process.run()
        await ended.wait()
        guard process.terminationStatus == 0 else { throw SliceFailure("the brokers did not start again") }
    }
}
