internal import ServiceRuntime
package import TaskModel

/// A clock that passes on what another one says, and that nobody can tell to be a manual one: its users must sleep on it
/// as they sleep on the machine's clock.
package struct PlainTimeSource: TimeSource {
    private let time: ManualTimeSource

    package init(_ time: ManualTimeSource) {
        self.time = time
    }

    package func now() -> Timestamp { time.now() }
    package func uptime() -> Int64 { time.uptime() }
    package func sleep(milliseconds: Int64) async throws { try await time.sleep(milliseconds: milliseconds) }
}
