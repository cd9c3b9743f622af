import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

struct DoctorTests {
    private func status(_ checks: [DoctorCheck], _ name: String) -> DoctorCheck.Status? {
        checks.first { $0.name == name }?.status
    }

    @Test func aHealthyInstallationIsFine() async throws {
        let world = try await World()
        for (id, role) in [("w-1", "worker"), ("s-1", "scheduler")] {
            try await world.append(
                world.plan.names.workers, by: Array(id.utf8),
                RecordBody(
                    key: Array(id.utf8), value: Array(#"{"role":"\#(role)","version":"1"}"#.utf8), headers: []))
        }
        let checks = await world.client.doctor()
        #expect(checks.filter { $0.status != .ok }.isEmpty)
        #expect(
            Set(checks.map(\.name)) == [
                "topics", "log", "clock", "durability", "workers", "schedulers", "queue default", "queue mail",
                "dead letters",
            ])
    }

    /// The doctor of an installation without a scheduler's heartbeat: it asks one, and gives up when the time is over.
    private func doctorWithoutScheduler(_ world: World, _ client: TaskClient? = nil) async throws -> [DoctorCheck] {
        async let checks = withTimeout("the doctor") { await (client ?? world.client).doctor() }
        try await world.time.waitForSleepers(count: 1)
        world.time.advance(milliseconds: TaskClient.probeTimeout)
        return try await checks
    }

    @Test func missingTopicsAreFailuresWithAdvice() async throws {
        let world = try await World(createTopics: false)
        let checks = await world.client.doctor()
        #expect(status(checks, "topics") == .fail)
        #expect(checks.count == 1)
        #expect(checks.first?.detail.contains("11 of 11 topics do not exist") == true)
        #expect(checks.first?.advice?.contains("topics create") == true)
    }

    @Test func anUnreachableLogIsAFailedCheck() async throws {
        let world = try await World()
        await world.log.close()
        let checks = await world.client.doctor()
        #expect(checks.map(\.status) == [.fail])
        #expect(checks.first?.name == "log")
    }

    @Test func waitingEventsWithoutWorkersAndOpenLettersAreWarnings() async throws {
        let world = try await World()
        _ = try await world.client.publish(PublishRequest(task: "report"))
        try await world.bury(sampleEvent())
        let checks = try await doctorWithoutScheduler(world)
        #expect(status(checks, "workers") == .warn)
        #expect(status(checks, "schedulers") == .warn)
        #expect(status(checks, "queue default") == .warn)
        #expect(status(checks, "queue mail") == .ok)
        #expect(status(checks, "dead letters") == .warn)
        #expect(checks.first { $0.name == "dead letters" }?.detail.contains("1 of report") == true)
    }

    @Test func anOldHeartbeatIsNoLiveWorker() async throws {
        let world = try await World()
        try await world.append(
            world.plan.names.workers, by: [1], RecordBody(key: [119], value: Array("{}".utf8), headers: []))
        world.time.advance(milliseconds: 61_000)
        let workers = try #require(try await doctorWithoutScheduler(world).first { $0.name == "workers" })
        #expect(workers.status == .warn)
        #expect(workers.detail.contains("last sign"))
    }

    @Test func aSchedulerThatAnswersIsAlive() async throws {
        let world = try await World()
        async let checks = withTimeout("the doctor") { await world.client.doctor() }
        try await withTimeout("the probe") {
            let topic = world.plan.names.commands
            let follower = try await world.log.follow(
                Dictionary(uniqueKeysWithValues: (0..<3).map { (TopicPartition(topic, $0), Int64(0)) }))
            let record = try #require(try await follower.next()?.first)
            guard
                case .command(let command) = try CommandsTopicRecord(
                    key: record.key, value: record.value, headers: record.headers)
            else { return }
            let result = CommandResult(
                commandID: command.id, scheduleID: command.scheduleID, outcome: .conflict(revision: 0, spec: nil),
                at: world.time.now())
            try await world.append(
                topic, by: Array(command.scheduleID.utf8), CommandsTopicRecord.result(result).encoded())
            await follower.close()
        }
        #expect(status(try await checks, "schedulers") == .ok)
    }

    @Test func aClockThatIsAheadIsSeenInTheBrokersTime() async throws {
        let world = try await World()
        let ahead = TaskClient(
            log: world.log, plan: world.plan,
            time: SteppedTimeSource(base: world.time, step: 6000), source: "test")
        #expect(status(try await doctorWithoutScheduler(world, ahead), "clock") == .fail)
        let slightly = TaskClient(
            log: world.log, plan: world.plan,
            time: SteppedTimeSource(base: world.time, step: -2000), source: "test")
        #expect(status(try await doctorWithoutScheduler(world, slightly), "clock") == .warn)
    }
}
