import TaskLog
import TaskModel
import TaskTelemetry

@testable import SchedulerRole

/// A scheduler process: the real machine, with a shell in simulated time.
final class SimScheduler: SimProcess {
    private static let metrics = SchedulerMetrics(MetricsRegistry())

    let slot: Int
    private var machine: SchedulerStateMachine
    private(set) var member: SimMember!
    private let configuration: SchedulerConfiguration
    private var alarm: Int64?
    private var isStopping = false
    /// Partitions of `schedules` that are followed, and from where.
    private var followed: [TopicPartition: Int64] = [:]

    init(world: SimWorld, slot: Int, nonce: Int) {
        self.slot = slot
        configuration = SchedulerConfiguration(
            clientID: "s\(slot)", bootNonce: "\(nonce)", payloadBudget: world.plan.payloadBudget)
        let count = world.plan.controlPartitions
        machine = SchedulerStateMachine(
            configuration: configuration,
            counts: TopicCounts(commands: count, retry: count, dead: count, journal: count), metrics: Self.metrics)
        super.init(world: world, name: "s\(slot)/\(nonce)")
        member = SimMember(process: self) { [unowned self] wake in
            switch wake {
            case .assigned(let partitions, let epoch): handle(.assigned(partitions, epoch: epoch))
            case .revoking(let partitions): handle(.revoking(partitions))
            case .lost(let partitions): handle(.lost(partitions))
            case .records(let records): handle(.records(records))
            }
        }
        world.schedulerGroup.join(member)
    }

    override var takesPart: Bool { !isStopping }

    func stop() {
        guard state == .running, !isStopping else { return }
        isStopping = true
        handle(.stop)
    }

    private func handle(_ wake: SchedulerWake) {
        guard state == .running else { return }
        world.trace("\(name) <- \(SimTrace.describe(wake))")
        let now = ClockReading(wall: wall, uptime: uptime)
        for action in machine.handle([wake], now: now) { perform(action) }
        guard state == .running, let next = machine.nextWake(now), alarm.map({ next < $0 }) ?? true else { return }
        alarm = next
        world.after(max(1, next - uptime), in: self) { [self] in
            if alarm == next { alarm = nil }
            handle(.timer)
        }
    }

    private func perform(_ action: SchedulerAction) {
        switch action {
        case .restore(let tenure):
            world.after(world.random.number(1...150), in: self) { [self] in
                handle(.restored(tenure, restoration(of: tenure.partition)))
            }
        case .start(let positions):
            world.after(world.random.number(1...20), in: self) { [self] in
                world.schedulerGroup.start(member, positions)
            }
        case .append(let batch, let records): append(batch, records)
        case .fetch(let tenure, let offsets):
            world.after(world.random.number(1...50), in: self) { [self] in
                let wanted = Set(offsets)
                let found = world.log.records(tenure.partition).filter { wanted.contains($0.offset) }
                handle(.fetched(tenure, asked: offsets, .success(found)))
            }
        case .describe(let queue):
            world.after(world.random.number(1...50), in: self) { [self] in
                handle(.described(queue: queue, .success(world.plan.partitions)))
            }
        case .pause(let partition): member.paused.insert(partition)
        case .resume(let partition): world.schedulerGroup.resume(member, partition)
        case .commit(let offsets):
            world.after(world.random.number(1...60), in: self) { [self] in
                _ = world.schedulerGroup.commit(member, offsets)
            }
        case .handOver(let offsets, let partitions):
            world.after(world.random.number(1...60), in: self) { [self] in
                _ = world.schedulerGroup.commit(member, offsets)
                world.schedulerGroup.release(member, partitions)
            }
        case .finish(let offsets):
            _ = world.schedulerGroup.commit(member, offsets)
            world.trace("\(name) ends")
            state = .gone
            world.schedulerGroup.leave(member)
        case .fail(let error): world.violate("a scheduler never fails", "\(error)")
        case .follow(let partition, let start):
            followed[partition] = start
            follow(partition)
        case .unfollow(let partitions): for partition in partitions { followed[partition] = nil }
        case .log, .notice: break
        }
    }

    /// One call: its results come together.
    private func append(_ batch: Int, _ records: [LogAppend]) {
        var results: [Result<AppendReceipt, LogError>?] = Array(repeating: nil, count: records.count)
        var left = records.count
        for (index, record) in records.enumerated() {
            append(record) { [self] result in
                results[index] = result
                left -= 1
                if left == 0 { handle(.appended(batch: batch, results.compactMap { $0 })) }
            }
        }
    }

    private func restoration(of partition: TopicPartition) -> Restoration {
        guard partition.topic == configuration.names.retry else { return .schedules(schedules(of: partition)) }
        let start = world.schedulerGroup.committed(partition)?.offset ?? 0
        var timers = RetryTimers(
            position: start, budget: configuration.payloadBudget / Int(world.plan.controlPartitions),
            markerLifetime: configuration.cancelMarkerLifetime)
        for record in world.log.records(partition, from: start) { timers.apply(record) }
        timers.reach(world.log.end(of: partition))
        return .retry(timers)
    }

    private func schedules(of commands: TopicPartition) -> ScheduleRestoration {
        var restoration = ScheduleRestoration()
        let partition = TopicPartition(configuration.names.schedules, commands.partition)
        for record in world.log.records(partition) { restoration.apply(schedule: record) }
        restoration.schedulesEnd = world.log.end(of: partition)
        restoration.commandsStart = world.schedulerGroup.committed(commands)?.offset ?? 0
        for record in world.log.records(commands, from: restoration.commandsStart) {
            restoration.apply(command: record)
        }
        return restoration
    }

    func wrote(_ partition: TopicPartition) {
        if followed[partition] != nil { follow(partition) }
    }

    private func follow(_ partition: TopicPartition) {
        world.after(world.random.number(1...60), in: self) { [self] in
            let end = world.log.end(of: partition)
            guard let position = followed[partition], position < end else { return }
            followed[partition] = end
            handle(.followed(world.log.records(partition, from: position, to: end)))
        }
    }
}
