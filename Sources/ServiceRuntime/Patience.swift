extension TimeSource {
    /// Does `body` until it works. An error that passes by itself is reported and tried again a second later, for as long
    /// as it takes: a service that starts before its broker waits for it. Nil when `stop` fires meanwhile.
    package func patiently<Value: Sendable>(
        until stop: OneShot, passes: @Sendable (any Error) -> Bool, report: @Sendable (any Error) -> Void,
        _ body: @Sendable () async throws -> Value
    ) async throws -> Value? {
        while !stop.hasFired {
            do {
                return try await body()
            } catch  where passes(error) {
                report(error)
                _ = await wait(for: stop, milliseconds: 1000)
                try Task.checkCancellation()
            }
        }
        return nil
    }
}
