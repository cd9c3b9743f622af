internal import ServiceRuntime
internal import TaskLog
internal import TaskTelemetry

/// Asks the log again, with a growing pause, for as long as the answer is wanted.
struct Persistence: Sendable {
    /// For people: "restore failed; trying again".
    let what: String
    let partition: TopicPartition
    let time: any TimeSource
    let logger: Logger
    /// What no further try changes.
    var final: Set<LogError.Code> = [.closed]
    let isWanted: @Sendable () -> Bool

    func persist(_ body: () async throws -> Void) async {
        var pause: Int64 = 100
        while !Task.isCancelled, isWanted() {
            do {
                return try await body()
            } catch {
                if let error = error as? LogError, final.contains(error.code) { return }
                // The worker ends, or the partition is another's: nothing failed.
                guard !Task.isCancelled, isWanted() else { return }
                logger.warning("\(what) failed; trying again", ["partition": "\(partition)", "error": "\(error)"])
                try? await time.sleep(milliseconds: pause)
                // What comes after it waits for its end.
                pause = min(1000, pause * 2)
            }
        }
    }
}
