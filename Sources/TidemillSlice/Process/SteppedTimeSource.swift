import ServiceRuntime
import Synchronization
import TaskModel

/// The machine's clocks, of which the wall clock can be set wrong. Uptime and sleeps are not touched, as on a machine whose
/// clock somebody sets.
final class SteppedTimeSource: TimeSource {
    private let system = SystemTimeSource()
    private let lead = Atomic<Int64>(0)

    /// Milliseconds ahead of the machine's clock from now on; negative is behind.
    func step(to milliseconds: Int64) { lead.store(milliseconds, ordering: .sequentiallyConsistent) }

    func now() -> Timestamp { system.now() + lead.load(ordering: .sequentiallyConsistent) }

    func uptime() -> Int64 { system.uptime() }

    func sleep(milliseconds: Int64) async throws { try await system.sleep(milliseconds: milliseconds) }
}
