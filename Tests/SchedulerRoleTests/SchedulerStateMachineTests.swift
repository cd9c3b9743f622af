import TaskLog
import TaskModel
import TaskTelemetry
import Testing

@testable import SchedulerRole

/// The machine alone: wakes in, actions out. One partition of each topic; the broker's clock is ours.
struct SchedulerStateMachineTests {
    private let commands = TopicPartition("tidemill.commands", 0)
    private let retry = TopicPartition("tidemill.retry", 0)

    /// A machine, its clock, and a log that keeps what it appends until a test answers.
    private struct World {
        var machine = SchedulerStateMachine(
            configuration: SchedulerConfiguration(bootNonce: "n"),
            counts: TopicCounts(commands: 1, retry: 1, dead: 1, journal: 1),
            metrics: SchedulerMetrics(MetricsRegistry()))
        var wall = Timestamp(rfc3339: "2026-11-21T12:00:30Z")!
        var uptime: Int64 = 0
        var pending: [(batch: Int, records: [LogAppend])] = []
        var offset: Int64 = 0
        /// Entries that have been answered for.
        var journal: [JournalEntry] = []

        var now: ClockReading { ClockReading(wall: wall, uptime: uptime) }

        mutating func advance(_ milliseconds: Int64) {
            wall = wall + milliseconds
            uptime += milliseconds
        }

        /// Everything but appends and log lines, which are kept and dropped.
        mutating func tell(_ wakes: SchedulerWake...) -> [SchedulerAction] {
            machine.handle(wakes, now: now).filter { action in
                switch action {
                case .append(let batch, let records):
                    pending.append((batch, records))
                    return false
                case .log, .notice: return false
                default: return true
                }
            }
        }

        /// Answers all appends until none is left. A topic in `refusing` is unavailable, one in `lacking` is missing.
        /// Returns what the answers made the machine do.
        @discardableResult
        mutating func settle(refusing: String? = nil, lacking: String? = nil) -> [SchedulerAction] {
            var actions: [SchedulerAction] = []
            while !pending.isEmpty {
                let (batch, records) = pending.removeFirst()
                for record in records where record.topic == "tidemill.journal" {
                    if let entry = try? JournalEntry(key: record.key, value: record.value) { journal.append(entry) }
                }
                let results = records.map { record -> Result<AppendReceipt, LogError> in
                    offset += 1
                    if record.topic == lacking { return .failure(LogError(.unknownTopic, "test")) }
                    return record.topic == refusing
                        ? .failure(LogError(.unavailable, "test"))
                        : .success(AppendReceipt(offset: offset, timestamp: wall))
                }
                actions += tell(.appended(batch: batch, results))
            }
            return actions
        }

        var topics: [String] { pending.flatMap { $0.records.map { String($0.topic.dropFirst(9)) } } }
    }

    private func begun(_ actions: [SchedulerAction], _ partition: TopicPartition) -> Tenure? {
        for case .restore(let tenure) in actions where tenure.partition == partition { return tenure }
        return nil
    }

    private func begin(_ world: inout World, _ wake: SchedulerWake, _ partition: TopicPartition) throws -> Tenure {
        let actions = world.tell(wake)
        return try #require(begun(actions, partition))
    }

    /// Owns `commands` with one schedule, created at 12:00.
    private func scheduling(_ spec: ScheduleSpec = everyMinute()) throws -> World {
        var world = World()
        _ = try scheduling(&world, spec)
        return world
    }

    /// What the machine does when it owns it.
    private func scheduling(_ world: inout World, _ spec: ScheduleSpec) throws -> [SchedulerAction] {
        let tenure = try begin(&world, .assigned([commands], epoch: 3), commands)
        var restoration = ScheduleRestoration()
        let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!
        let definition = ScheduleDefinition(
            spec: spec, revision: 1, createdAt: noon, updatedAt: noon, updatedBy: "ada", reason: "",
            applied: AppliedCommand(id: "c0", offset: 0))
        restoration.schedules.apply(.definition(definition), by: nil)
        restoration.commandsStart = 1
        return world.tell(.restored(tenure, .schedules(restoration)))
    }

    /// The same, and it knows of the queue: what is due goes out.
    private func firing(_ spec: ScheduleSpec = everyMinute()) throws -> World {
        var world = try scheduling(spec)
        world.settle()
        _ = world.tell(.described(queue: "default", .success(4)))
        return world
    }

    private let hourly = everyMinute { $0.trigger = .interval(milliseconds: 3_600_000, anchor: nil) }

    private func waiting(_ world: inout World) throws -> Tenure { try waiting(&world, due: .epoch).tenure }

    /// One event; what the machine does when it owns it.
    private func waiting(
        _ world: inout World, due: Timestamp
    ) throws -> (tenure: Tenure, actions: [SchedulerAction]) {
        let tenure = try begin(&world, .assigned([retry], epoch: 3), retry)
        var timers = RetryTimers(position: 0, budget: 1 << 20, markerLifetime: 1000)
        let body = WaitingEvent(event: event("e"), queue: "default", due: .at(due)).encoded()
        timers.apply(record(body, in: retry, at: .epoch, offset: 0))
        return (tenure, world.tell(.restored(tenure, .retry(timers))))
    }

    private func record(
        _ body: RecordBody, in partition: TopicPartition, at time: Timestamp, offset: Int64
    ) -> LogRecord {
        LogRecord(
            topic: partition.topic, partition: partition.partition, offset: offset, timestamp: time, key: body.key,
            value: body.value, headers: body.headers)
    }

    private func asked(_ actions: [SchedulerAction]) -> [String] {
        actions.compactMap { if case .describe(let queue) = $0 { queue } else { nil } }
    }

    /// Its queue is asked for and has no topic, which is news; then somebody makes one.
    private func holdAndRelease(_ world: inout World) {
        #expect(asked(world.tell(.timer)) == ["default"])
        _ = world.tell(.described(queue: "default", .success(nil)))
        world.settle()
        #expect(world.journal.contains { $0.kind == .held })
        world.advance(30_000)
        #expect(asked(world.tell(.timer)) == ["default"])
        _ = world.tell(.described(queue: "default", .success(4)))
        world.settle()
        #expect(world.journal.contains { $0.kind == .released })
    }

    /// When the time comes, nothing waits for the answer.
    @Test func asksForAQueueBeforeItsEventIsDue() throws {
        var world = World()
        let opened = try waiting(&world, due: world.wall + 60_000).actions
        #expect(asked(opened) == ["default"])
        world.settle()
        _ = world.tell(.described(queue: "default", .success(4)))
        #expect(world.topics.isEmpty)
        world.advance(60_000)
        #expect(asked(world.tell(.timer)).isEmpty)
        #expect(world.topics == ["due.default"])
    }

    @Test func asksForAQueueBeforeItsScheduleFires() throws {
        var world = World()
        #expect(try asked(scheduling(&world, everyMinute())) == ["default"])
    }

    /// A topic may be made until the first event is due: that there is none yet is no news, and neither is that the log
    /// cannot say.
    @Test(arguments: [nil, LogError(.unavailable, "test")])
    func aQueueIsMissingOnlyOnceItIsNeeded(problem: LogError?) throws {
        var world = World()
        _ = try waiting(&world, due: world.wall + 60_000)
        world.settle()
        #expect(asked(world.tell(.described(queue: "default", problem.map { .failure($0) } ?? .success(nil)))).isEmpty)
        world.advance(30_000)
        #expect(asked(world.tell(.timer)).isEmpty)
        world.settle()
        #expect(!world.journal.contains { $0.kind == .held })
        world.advance(30_000)
        holdAndRelease(&world)
    }

    @Test func asksForAQueueWhenAnEventOrAScheduleComes() throws {
        var world = try scheduling()
        world.settle()
        _ = world.tell(.described(queue: "default", .success(4)))
        _ = try waiting(&world, due: .epoch)
        let body = WaitingEvent(event: event("f"), queue: "mail", due: .at(world.wall + 60_000)).encoded()
        #expect(asked(world.tell(.records([record(body, in: retry, at: world.wall, offset: 1)]))) == ["mail"])
        _ = world.tell(.records([edit(at: world.wall, to: everyMinute("other") { $0.queue = "post" })]))
        #expect(asked(world.settle()) == ["post"])
    }

    /// Somebody deleted it: what was to go there is held, and nothing else waits for it.
    @Test func aTopicThatIsGoneHoldsWhatWasToGoThere() throws {
        var world = try firing()
        _ = try waiting(&world, due: world.wall + 30_000)
        world.settle()
        world.advance(30_000)
        _ = world.tell(.timer)
        #expect(world.topics.filter { $0 == "due.default" }.count == 2, "an event and a fire")
        world.settle(lacking: "tidemill.due.default")
        #expect(world.machine.outbox.isEmpty && world.machine.timers[0]?.parkedCount == 1)
        #expect(world.machine.schedules[0]?.table.parkedCount == 1)
        #expect(asked(world.tell(.timer)).isEmpty, "what the log says may differ for a moment")
        world.advance(1000)
        holdAndRelease(&world)
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 1)
    }

    /// It is back before anybody had to be told.
    @Test func aTopicThatWasGoneForAMomentHoldsNothing() throws {
        var world = try firing()
        world.advance(30_000)
        _ = world.tell(.timer)
        world.settle(lacking: "tidemill.due.default")
        world.advance(1000)
        _ = world.tell(.timer)
        _ = world.tell(.described(queue: "default", .success(4)))
        #expect(world.topics == ["due.default"])
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 1)
        #expect(!world.journal.contains { $0.kind == .held })
    }

    /// It fell due while the answer was on its way: then it is news.
    @Test func aQueueThatIsNeededMeanwhileIsMissing() throws {
        var world = World()
        _ = try waiting(&world, due: world.wall + 60_000)
        world.settle()
        world.advance(60_000)
        #expect(asked(world.tell(.timer)).isEmpty, "it has been asked for")
        _ = world.tell(.described(queue: "default", .success(nil)))
        world.settle()
        #expect(world.journal.contains { $0.kind == .held })
    }

    @Test func restoresWhatItIsAssignedBeforeItReadsOn() throws {
        var world = World()
        let assigned = world.tell(.assigned([retry, commands], epoch: 3))
        #expect(assigned.count == 2)
        let tenure = try #require(begun(assigned, commands))
        var restoration = ScheduleRestoration()
        restoration.commandsStart = 5
        restoration.schedulesEnd = 7
        let opened = world.tell(.restored(tenure, .schedules(restoration)))
        guard case .follow(let schedules, 7)? = opened.first, case .start(let positions)? = opened.dropFirst().first
        else {
            Issue.record("\(opened)")
            return
        }
        #expect(schedules == TopicPartition("tidemill.schedules", 0))
        #expect(positions == [commands: 5])
    }

    /// The owner that would have written over it is gone.
    @Test func writesOverWhatAZombieWroteLast() throws {
        var world = World()
        let tenure = try begin(&world, .assigned([commands], epoch: 3), commands)
        var restoration = ScheduleRestoration()
        let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!
        for (epoch, offset) in [(2, 7), (1, 3)] as [(Int64, Int64)] {
            let definition = ScheduleDefinition(
                spec: everyMinute(), revision: 1, createdAt: noon, updatedAt: noon + offset, updatedBy: "ada",
                reason: "", applied: AppliedCommand(id: "c\(offset)", offset: offset))
            let body = SchedulesTopicRecord.definition(definition).encoded(by: ScheduleWriter(epoch: epoch, name: "w"))
            restoration.apply(
                schedule: record(body, in: TopicPartition("tidemill.schedules", 0), at: noon, offset: 0))
        }
        _ = world.tell(.restored(tenure, .schedules(restoration)))
        let written = try world.pending.flatMap(\.records).filter { $0.topic == "tidemill.schedules" }.compactMap {
            switch try SchedulesTopicRecord(key: $0.key, value: $0.value) {
            case .definition(let definition): definition.applied.offset
            default: nil
            }
        }
        #expect(written == [7])
    }

    @Test func firesNothingBeforeItKnowsTheBrokersTime() throws {
        var world = try scheduling()
        world.advance(60_000)
        _ = world.tell(.timer)
        #expect(world.topics == ["journal"])
        world.settle()
        _ = world.tell(.described(queue: "default", .success(4)))
        #expect(world.topics == ["due.default"])
    }

    @Test func theStateFollowsItsEvent() throws {
        var world = try scheduling()
        world.settle()
        world.advance(30_000)
        _ = world.tell(.timer)
        _ = world.tell(.described(queue: "default", .success(4)))
        #expect(world.topics == ["due.default"])
        world.settle(refusing: "tidemill.due.default")
        #expect(world.topics.isEmpty)
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 0)
        #expect(world.machine.nextWake(world.now) == world.uptime + 100)
        world.advance(100)
        _ = world.tell(.timer)
        let (batch, records) = world.pending.removeFirst()
        #expect(records.map(\.topic) == ["tidemill.due.default"])
        _ = world.tell(
            .appended(batch: batch, [.success(AppendReceipt(offset: 1, timestamp: world.wall))]))
        #expect(world.topics == ["schedules", "journal"])
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 1)
        #expect(world.machine.outbox.isEmpty)
    }

    @Test func theTombstoneFollowsTheEmission() throws {
        var world = World()
        _ = try waiting(&world)
        world.settle()
        _ = world.tell(.described(queue: "default", .success(4)))
        #expect(world.topics == ["due.default"])
        let (batch, _) = world.pending.removeFirst()
        _ = world.tell(.appended(batch: batch, [.success(AppendReceipt(offset: 1, timestamp: world.wall))]))
        #expect(world.topics == ["retry"])
        #expect(world.pending.first?.records.first?.value == nil)
        #expect(world.machine.settledOffsets(of: [retry])[retry]?.offset == 0)
        world.settle()
        #expect(world.machine.timers[0]?.count == 0)
    }

    /// What the log refuses for its size ends as a dead letter, not as a loop.
    @Test func anEventThatNoDueTopicTakesEndsAsADeadLetter() throws {
        var world = World()
        _ = try waiting(&world)
        world.settle()
        _ = world.tell(.described(queue: "default", .success(4)))
        let (batch, _) = world.pending.removeFirst()
        _ = world.tell(.appended(batch: batch, [.failure(LogError(.recordTooLarge, "test"))]))
        #expect(world.topics == ["dead"])
        world.settle()
        #expect(world.machine.timers[0]?.count == 0)
    }

    @Test func revokingCommitsWhatIsSettledAndLetsGo() throws {
        var world = try scheduling()
        world.settle()
        let actions = world.tell(.revoking([commands]))
        guard case .handOver(let offsets, let partitions)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(offsets == [commands: CommittedOffset(offset: 1)] && partitions == [commands])
        world.advance(60_000)
        _ = world.tell(.timer)
        #expect(world.topics.isEmpty && world.machine.schedules.isEmpty)
    }

    /// The event was under way when the partition went: nothing more may be written for it.
    @Test func afterALossNoStateIsWritten() throws {
        var world = try scheduling()
        world.settle()
        world.advance(30_000)
        _ = world.tell(.described(queue: "default", .success(4)))
        let (batch, _) = world.pending.removeFirst()
        _ = world.tell(.lost([commands]))
        _ = world.tell(.appended(batch: batch, [.success(AppendReceipt(offset: 1, timestamp: world.wall))]))
        #expect(world.topics.isEmpty)
    }

    @Test func whatAnOldTenureReportsIsDropped() throws {
        var world = World()
        let first = try begin(&world, .assigned([commands], epoch: 1), commands)
        _ = world.tell(.revoking([commands]))
        let second = try begin(&world, .assigned([commands], epoch: 2), commands)
        #expect(first != second)
        #expect(world.tell(.restored(first, .schedules(ScheduleRestoration()))).isEmpty)
        #expect(world.machine.schedules.isEmpty)
    }

    @Test func aRestoreThatFailsIsTriedAgainAfterAPause() throws {
        var world = World()
        let tenure = try begin(&world, .assigned([commands], epoch: 1), commands)
        #expect(world.tell(.restoreFailed(tenure, LogError(.unavailable, "test"))).isEmpty)
        #expect(world.machine.nextWake(world.now) == 100)
        world.advance(100)
        #expect(begun(world.tell(.timer), commands) == tenure)
        let actions = world.tell(.restoreFailed(tenure, LogError(.notAuthorized, "test")))
        guard case .fail? = actions.first else {
            Issue.record("\(actions)")
            return
        }
    }

    @Test func stopsOnceAllIsWritten() throws {
        var world = try scheduling()
        #expect(world.tell(.stop).isEmpty)
        #expect(world.topics == ["journal"])
        let (batch, _) = world.pending.removeFirst()
        let actions = world.tell(
            .appended(batch: batch, [.success(AppendReceipt(offset: 1, timestamp: world.wall))]))
        guard case .finish(let offsets)? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(offsets[commands]?.offset == 1)
    }

    @Test func stopsAtItsDeadlineEvenIfTheLogIsAway() throws {
        var world = try scheduling()
        _ = world.tell(.stop)
        #expect(world.machine.nextWake(world.now) == 2000)
        world.advance(2000)
        guard case .finish? = world.tell(.timer).last else {
            Issue.record("it must end")
            return
        }
    }

    /// A sleep for a far instant is cut short, so that a step of the clock is noticed; it emits nothing by itself.
    @Test func looksAtTheClockAgainWhileItWaits() throws {
        var world = try scheduling(everyMinute { $0.trigger = .interval(milliseconds: 86_400_000, anchor: nil) })
        world.settle()
        _ = world.tell(.timer)
        world.advance(1000)
        _ = world.tell(.timer)
        #expect(world.machine.nextWake(world.now) == world.uptime + 30_000)
        world.advance(30_000)
        #expect(world.tell(.timer).isEmpty && world.topics.isEmpty)
    }

    @Test func jitterWaitsAndTheStateWithIt() throws {
        var world = try scheduling(everyMinute { $0.jitter = 30_000 })
        world.settle()
        let nominal = Timestamp(rfc3339: "2026-11-21T12:01:00Z")!
        let due = Planner.dueTime(of: nominal, in: everyMinute { $0.jitter = 30_000 })
        #expect(due > nominal)
        world.advance(due - world.wall - 1)
        _ = world.tell(.timer, .described(queue: "default", .success(4)))
        #expect(world.topics.isEmpty)
        world.advance(1)
        _ = world.tell(.timer)
        #expect(world.topics == ["due.default"])
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.cursor == nominal)
    }

    private func edit(at time: Timestamp, to spec: ScheduleSpec) -> LogRecord {
        record(CommandsTopicRecord.command(put(spec, id: "c1")).encoded(), in: commands, at: time, offset: 1)
    }

    /// What the old trigger named before it fires, though the edit is read first, even by a clock that is an hour back.
    @Test(arguments: [0, -3_600_000] as [Int64])
    func anEditGivesNothingUpThatWasDueBefore(skew: Int64) throws {
        let time = Timestamp(rfc3339: "2026-11-21T12:02:30Z")!
        var world = try firing(
            everyMinute {
                $0.catchUp = .all
                $0.jitter = 59_000
            })
        world.advance(time + 100 - world.wall)
        world.wall = world.wall + skew
        _ = world.tell(.records([edit(at: time, to: hourly)]))
        #expect(world.topics == ["due.default", "due.default"])
        world.settle()
        let table = try #require(world.machine.schedules[0]?.table)
        #expect(table.definition(of: "s")?.spec == hourly)
        #expect(table.state(of: "s")?.fires == 2 && table.state(of: "s")?.cursor == time)
    }

    /// A scheduler that slept went on with the old trigger before it read the edit: the new one's times are not missed.
    @Test func anEditHoldsFromItsOwnTimeOn() throws {
        var world = try firing(everyMinute { $0.catchUp = .all })
        world.advance(300_000)
        _ = world.tell(.timer)
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 5)
        let often = everyMinute {
            $0.catchUp = .all
            $0.trigger = .interval(milliseconds: 30_000, anchor: nil)
        }
        _ = world.tell(.records([edit(at: Timestamp(rfc3339: "2026-11-21T12:02:30Z")!, to: often)]))
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 10, "12:03:30 to 12:05:30")
    }

    /// What both triggers name it has decided already: it counts once among the runs that a schedule may have.
    @Test func anEditDoesNotFireAgainWhatTheOldTriggerFired() throws {
        var world = try firing(everyMinute { $0.catchUp = .all })
        world.advance(300_000)
        _ = world.tell(.timer)
        world.settle()
        let bounded = everyMinute {
            $0.catchUp = .all
            $0.end = Timestamp(rfc3339: "2026-11-21T13:00:00Z")!
        }
        _ = world.tell(.records([edit(at: Timestamp(rfc3339: "2026-11-21T12:02:30Z")!, to: bounded)]))
        world.settle()
        let table = try #require(world.machine.schedules[0]?.table)
        #expect(table.definition(of: "s")?.spec == bounded && table.state(of: "s")?.fires == 5)
        #expect(table.state(of: "s")?.cursor == Timestamp(rfc3339: "2026-11-21T12:05:00Z")!)
    }

    /// No topic, no fire: the edit does not wait for somebody to make one.
    @Test func anEditDoesNotWaitForAQueueThatIsMissing() throws {
        var world = try scheduling()
        world.settle()
        world.advance(120_000)
        _ = world.tell(.records([edit(at: world.wall, to: hourly)]))
        #expect(world.topics.isEmpty, "whether there is one is being asked")
        _ = world.tell(.described(queue: "default", .success(nil)))
        world.settle()
        #expect(world.machine.schedules[0]?.table.definition(of: "s")?.spec == hourly)
    }

    /// A time that waits for its jitter is not late, however short the age that still fires.
    @Test func anEditFiresWhatWaitedForItsJitter() throws {
        var world = try firing(
            everyMinute {
                $0.trigger = .interval(milliseconds: 3_600_000, anchor: nil)
                $0.jitter = 3_500_000
                $0.catchUp = .skip
                $0.maxAge = 1000
            })
        let nominal = Timestamp(rfc3339: "2026-11-21T13:00:00Z")!
        world.advance(nominal + 300_000 - world.wall)
        _ = world.tell(.timer)
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 0, "the seed's jitter is longer")
        _ = world.tell(.records([edit(at: world.wall, to: everyMinute())]))
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 1)
    }

    /// A catch-up that keeps a spacing is not waited for: one fire stands for what it had put off.
    @Test func anEditEndsACatchUp() throws {
        var world = try firing(
            everyMinute {
                $0.catchUp = .all
                $0.catchUpSpacing = 600_000
            })
        world.advance(300_000)
        _ = world.tell(.timer)
        world.settle()
        #expect(world.machine.schedules[0]?.table.state(of: "s")?.fires == 1)
        _ = world.tell(.records([edit(at: world.wall, to: hourly)]))
        world.settle()
        let state = try #require(world.machine.schedules[0]?.table.state(of: "s"))
        #expect(state.fires == 2 && state.cursor == world.wall && state.catchUp == nil)
    }

    @Test func everyDroppedTimeIsInTheJournal() throws {
        var world = try scheduling(
            everyMinute {
                $0.catchUp = .skip
                $0.trigger = .interval(milliseconds: 600_000, anchor: nil)
            })
        world.settle()
        world.advance(45 * 60_000)
        _ = world.tell(.timer)
        let records = world.pending.flatMap(\.records)
        #expect(records.map(\.topic) == ["tidemill.schedules", "tidemill.journal"])
        let entry = try JournalEntry(key: records[1].key, value: records[1].value)
        #expect(entry.kind == .skipped && entry.count == 4 && entry.reason == "missed; catch_up is skip")
        let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!
        #expect(entry.span == .init(after: noon, through: noon + 40 * 60_000))
    }

    /// Whether it is the first or the last of them: the journal says where all of them lie.
    @Test(arguments: [(CatchUp.earliest, 1), (.latest, 5)] as [(CatchUp, Int64)])
    func aCoalescedFireTellsWhatItStandsFor(_ catchUp: CatchUp, _ minute: Int64) throws {
        var world = try firing(
            everyMinute {
                $0.catchUp = catchUp
                $0.start = Timestamp(rfc3339: "2026-11-21T12:01:00Z")!
            })
        world.advance(300_000)
        _ = world.tell(.timer)
        world.settle()
        let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!
        let told = world.journal.filter { $0.subject == "s" }
        #expect(told.map(\.kind) == [.fired, .coalesced])
        #expect(told.map(\.nominal) == [noon + minute * 60_000, noon + minute * 60_000])
        #expect(told.map(\.span) == [nil, .init(after: noon + 60_000 - 1, through: noon + 300_000)])
    }
}
