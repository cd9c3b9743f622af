package import ServiceRuntime
package import TaskLog
internal import TaskModel
package import TaskTelemetry

/// The scheduler: emits waiting events and fires of schedules when they are due, and applies commands.
///
/// Any number of them share the partitions of `commands`, `schedules` and `retry` through one consumer group. It is a
/// shell: one loop takes wakes from one mailbox, asks ``SchedulerStateMachine`` what to do, and does it in child tasks
/// that post what came of it. The topics must exist before it runs.
package final class SchedulerService: Service {
    package var serviceName: String { "scheduler" }

    private let log: any TaskLog
    private let time: any TimeSource
    private let configuration: SchedulerConfiguration
    private let metrics: SchedulerMetrics
    private let logger: Logger
    private let probe: SchedulerProbe?
    /// Producers wait beyond this many unread wakes; those that post are bounded by the machine.
    private let mailbox = Mailbox<SchedulerWake>(capacity: 64)
    private let stopRequest = OneShot()

    package init(
        log: any TaskLog, time: any TimeSource, configuration: SchedulerConfiguration, metrics: SchedulerMetrics,
        logger: Logger = Logger(), probe: SchedulerProbe? = nil
    ) {
        self.log = log
        self.time = time
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger.with(["role": "scheduler", "writer": configuration.writerName])
        self.probe = probe
    }

    /// Hands over and returns from `run`.
    package func stop() async {
        stopRequest.fire()
        mailbox.post(.stop)
    }

    package func run() async throws {
        guard let counts = try await topicCounts(),
            let member = try await patiently({ try await self.log.join(self.groupOptions) })
        else { return }
        guard let follower = try await patiently({ try await self.log.follow([:]) }) else {
            return await member.leave()
        }
        let driver = MemberDriver(member: member, follower: follower, time: time, logger: logger)
        let orders = Mailbox<MemberDriver.Order>(capacity: 1024)
        let alarm = Alarm(time: time)
        try await withTaskCancellationHandler {
            try await withThrowingDiscardingTaskGroup { group in
                defer { group.cancelAll() }
                group.addTask { await self.readMember(member) }
                group.addTask { await self.readFollower(follower) }
                group.addTask { await self.drive(driver, orders) }
                group.addTask {
                    await alarm.run(
                        arming: { self.probe?(.armed(untilUptime: $0)) }, ring: { self.mailbox.post(.timer) })
                }
                let machine = SchedulerStateMachine(
                    configuration: configuration, counts: counts, metrics: metrics, isWatched: probe != nil)
                let shell = Shell(
                    restorer: Restorer(
                        log: log, configuration: configuration,
                        partitionBudget: configuration.payloadBudget / Int(max(1, counts.retry))),
                    orders: orders, alarm: alarm)
                let result = await loop(machine, shell, &group)
                mailbox.close()
                orders.close()
                alarm.close()
                if case .success(let offsets) = result { await driver.commit(offsets) }
                await member.leave()
                await follower.close()
                _ = try result.get()
            }
        } onCancel: {
            mailbox.close()
        }
    }

    private struct Shell {
        var restorer: Restorer
        var orders: Mailbox<MemberDriver.Order>
        var alarm: Alarm
    }

    /// Until the machine says that it is over, or the task is cancelled. Returns what is to be committed at the end.
    private func loop(
        _ start: SchedulerStateMachine, _ shell: Shell, _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async -> Result<[TopicPartition: CommittedOffset], SchedulerError> {
        var machine = start
        while var wakes = await mailbox.receive() {
            repeat {
                for action in machine.handle(wakes, now: reading()) {
                    switch action {
                    case .finish(let offsets): return .success(offsets)
                    case .fail(let error): return .failure(error)
                    default: perform(action, shell, &group)
                    }
                }
                wakes = []
            } while machine.isBehind
            if let deadline = machine.nextWake(reading()) { shell.alarm.set(deadline) }
        }
        return .success([:])
    }

    private func perform(
        _ action: SchedulerAction, _ shell: Shell, _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        switch action {
        case .append(let batch, let records):
            group.addTask {
                self.mailbox.post(.appended(batch: batch, await self.log.append(records)))
            }
        case .restore(let tenure):
            group.addTask { await self.restore(tenure, shell.restorer) }
        case .fetch(let tenure, let offsets):
            group.addTask { await self.fetch(offsets, tenure, shell.restorer) }
        case .describe(let queue):
            group.addTask { await self.describe(queue) }
        case .start(let positions): shell.orders.post(.start(positions))
        case .follow(let partition, let offset): shell.orders.post(.follow(partition, from: offset))
        case .unfollow(let partitions): shell.orders.post(.unfollow(partitions))
        case .pause(let partition): shell.orders.post(.pause(partition))
        case .resume(let partition): shell.orders.post(.resume(partition))
        case .commit(let offsets): shell.orders.post(.commit(offsets))
        case .handOver(let offsets, let partitions): shell.orders.post(.handOver(offsets, partitions))
        case .log(let line): write(line)
        case .notice(let notice): probe?(notice)
        case .finish, .fail: break
        }
    }

    private func write(_ line: LogLine) {
        var lineLogger = logger
        for (name, value) in line.fields.sorted(by: { $0.key < $1.key }) { lineLogger = lineLogger.with([name: value]) }
        lineLogger.log(line.level, line.message)
    }

    private func reading() -> ClockReading { ClockReading(wall: time.now(), uptime: time.uptime()) }

    // MARK: child tasks

    private func readMember(_ member: any GroupMember) async {
        do {
            while let wake = try await member.next() {
                switch wake {
                case .assigned(let partitions, let epoch):
                    await mailbox.send(.assigned(partitions, epoch: epoch))
                case .revoking(let partitions): mailbox.post(.revoking(partitions))
                case .lost(let partitions): mailbox.post(.lost(partitions))
                case .records(let records): await mailbox.send(.records(records))
                }
            }
        } catch {
            fail("the group member cannot go on", error)
        }
    }

    private func readFollower(_ follower: any LogFollower) async {
        do {
            while let records = try await follower.next() { await mailbox.send(.followed(records)) }
        } catch {
            fail("schedules cannot be followed", error)
        }
    }

    private func drive(_ driver: MemberDriver, _ orders: Mailbox<MemberDriver.Order>) async {
        do {
            try await driver.run(orders)
        } catch {
            fail("fetching cannot go on", error)
        }
    }

    /// Nobody hears it when the loop has ended: then the failure is only the end that was asked for.
    private func fail(_ what: String, _ error: any Error) {
        mailbox.post(.failed(SchedulerError(.log, "\(what): \(error)", cause: error as? LogError)))
    }

    private func restore(_ tenure: Tenure, _ restorer: Restorer) async {
        do {
            mailbox.post(.restored(tenure, try await restorer.restore(tenure.partition)))
        } catch {
            mailbox.post(.restoreFailed(tenure, Self.logError(error)))
        }
    }

    private func fetch(_ offsets: [Int64], _ tenure: Tenure, _ restorer: Restorer) async {
        do {
            let records = try await restorer.fetch(offsets, of: tenure.partition)
            mailbox.post(.fetched(tenure, asked: offsets, .success(records)))
        } catch {
            mailbox.post(.fetched(tenure, asked: offsets, .failure(Self.logError(error))))
        }
    }

    private func describe(_ queue: String) async {
        let topic = configuration.names.due(queue)
        do {
            let found = try await log.describe(topics: [topic]).first { $0.name == topic }
            mailbox.post(.described(queue: queue, .success(found?.partitions)))
        } catch {
            mailbox.post(.described(queue: queue, .failure(Self.logError(error))))
        }
    }

    private static func logError(_ error: any Error) -> LogError {
        error as? LogError ?? LogError(.other, "\(error)")
    }

    // MARK: the beginning

    private var groupOptions: GroupOptions {
        GroupOptions(
            group: configuration.names.schedulerGroup,
            topics: [configuration.names.commands, configuration.names.retry], clientID: configuration.clientID,
            sessionTimeoutMilliseconds: configuration.sessionTimeoutMilliseconds,
            revokeTimeoutMilliseconds: configuration.revokeTimeoutMilliseconds)
    }

    private func topicCounts() async throws -> TopicCounts? {
        let names = configuration.names
        let topics = [names.commands, names.schedules, names.retry, names.dead, names.journal]
        guard let found = try await patiently({ try await self.log.describe(topics: topics) }) else { return nil }
        let counts = Dictionary(found.map { ($0.name, $0.partitions) }) { $1 }
        func count(_ topic: String) throws -> Int32 {
            guard let count = counts[topic], count > 0 else {
                throw SchedulerError(.missingTopic, "topic \(topic) does not exist: create the topics first")
            }
            return count
        }
        let (commands, schedules) = (try count(names.commands), try count(names.schedules))
        guard commands == schedules else {
            throw SchedulerError(
                .partitionMismatch,
                "\(names.commands) has \(commands) partitions and \(names.schedules) \(schedules): they must be equal")
        }
        return TopicCounts(
            commands: commands, retry: try count(names.retry), dead: try count(names.dead),
            journal: try count(names.journal))
    }

    /// Until it works, is refused for good, or the scheduler is stopped (nil).
    private func patiently<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value? {
        try await time.patiently(
            until: stopRequest, passes: { ($0 as? LogError)?.isRetriable == true },
            report: { self.logger.warning("the log does not answer yet", ["error": "\($0)"]) }, body)
    }
}
