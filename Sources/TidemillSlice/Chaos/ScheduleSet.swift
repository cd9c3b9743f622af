import ServiceRuntime
import TaskClient
import TaskModel

/// The schedules of a run, from their creation to the pause that ends what they owe.
final class ScheduleSet: Sendable {
    private let client: TaskClient
    private let specs: [ScheduleSpec]
    private let time = SystemTimeSource()
    private let found = Shared<[ScheduleRange]>([])

    init(client: TaskClient, specs: [ScheduleSpec]) {
        self.client = client
        self.specs = specs
    }

    /// What each had to fire, once it is over.
    var ranges: [ScheduleRange] { found.value }

    /// Returns when a scheduler has all of them.
    func create() async throws {
        for spec in specs {
            for _ in 1...10 {
                if case .applied = try await client.put(spec, author: "slice") { break }
            }
        }
        guard try await client.schedules().count == specs.count else {
            throw SliceFailure("no scheduler took the schedules")
        }
    }

    /// Waits until all fire on time again, and pauses them. Returns what went wrong.
    func finish(_ watch: LogWatch) async -> [String] {
        var complaints: [String] = []
        do {
            for spec in specs {
                if !(await isOnTime(spec, watch)) {
                    complaints.append("schedule \(spec.id) does not fire on time again")
                }
                try await pause(spec)
                let view = try await client.schedule(spec.id)
                found.change { ranges in
                    ranges.append(
                        ScheduleRange(
                            id: spec.id, trigger: spec.trigger, after: view.definition.createdAt,
                            through: view.state?.cursor ?? view.definition.createdAt))
                }
            }
        } catch {
            complaints.append("the schedules could not be paused: \(error)")
        }
        return complaints
    }

    private func isOnTime(_ spec: ScheduleSpec, _ watch: LogWatch) async -> Bool {
        let wanted = time.now()
        return await watch.holds(atMost: 150_000) { state in
            state.emissions.last { $0.fire?.schedule == spec.id }.flatMap(\.fire).map { $0.nominal >= wanted } ?? false
        }
    }

    private func pause(_ spec: ScheduleSpec) async throws {
        for _ in 1...6 {
            if case .applied = try await client.pauseSchedule(spec.id, note: "the run is over", author: "slice") {
                return
            }
        }
        throw SliceFailure("no scheduler answers for \(spec.id)")
    }
}
