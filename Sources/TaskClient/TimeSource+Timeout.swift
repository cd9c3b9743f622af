internal import ServiceRuntime

extension TimeSource {
    /// Sleeps for `milliseconds`, or until cancelled when there is no limit.
    func sleep(atMost milliseconds: Int64?) async throws {
        guard let milliseconds else {
            while true { try await sleep(milliseconds: 86_400_000) }
        }
        try await sleep(milliseconds: milliseconds)
    }
}
