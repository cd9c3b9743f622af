import TaskModel

/// A schedule and what a person does with it.
struct SimSchedulePlan {
    /// The first `put`, then edits, pauses and resumes, by time.
    var commands: [(time: Int64, command: ScheduleCommand)]

    /// Nothing fires after it: the world comes to rest.
    static let end: Int64 = 95_000
    private static let lastEdit: Int64 = 60_000

    /// From a stream of its own, so that the events of a seed stay what they are.
    static func plans(seed: UInt64, kind: SimKind) -> [SimSchedulePlan] {
        var random = SimRandom(seed ^ 0x5ced_11e5)
        guard kind != .poison, random.chance(60) else { return [] }
        return (0..<Int(random.number(1...2))).map { SimSchedulePlan("schedule-\($0)", &random) }
    }

    private init(_ id: String, _ random: inout SimRandom) {
        var spec = ScheduleSpec(
            id: id, task: "work", trigger: Self.trigger(&random), payload: [0x7b, 0x7d],
            overlap: random.chance(50) ? .skip : .allow, catchUp: random.chance(60) ? .all : .latest)
        spec.start = SimWorld.epoch + random.number(0...5000)
        spec.end = SimWorld.epoch + Self.end
        // Half of them keep their trigger: no nominal time of those may be missed at all.
        let isSteady = random.chance(50)
        var kinds: [(Int64, ScheduleCommand.Kind)] = [(random.number(0...3000), .put(spec))]
        for _ in 0..<Int(random.number(0...5)) {
            let time = random.number(4000...Self.lastEdit)
            switch random.number(1...(isSteady ? 30 : 100)) {
            case 1...30:
                spec.payload = [UInt8(random.number(0x30...0x39))]
                kinds.append((time, .put(spec)))
            case 31...55:
                spec.trigger = Self.trigger(&random)
                kinds.append((time, .put(spec)))
            case 56...75: kinds.append((time, .pause(note: "n")))
            case 76...85:
                let until = SimWorld.epoch + time + random.number(1000...20_000)
                kinds.append((time, .pause(note: "n", until: until)))
            case 86...95: kinds.append((time, .resume))
            default: kinds.append((time, .trigger(at: nil, payload: nil)))
            }
        }
        if !isSteady { kinds.append((Self.lastEdit + 1000, .resume)) }
        commands = kinds.sorted { $0.0 < $1.0 }.enumerated().map { index, item in
            (item.0, ScheduleCommand(id: "\(id)/\(index)", scheduleID: id, kind: item.1, author: "client"))
        }
    }

    private static func trigger(_ random: inout SimRandom) -> Trigger {
        .interval(milliseconds: random.number(40...200) * 100, anchor: SimWorld.epoch)
    }
}

/// What the log says of schedules.
struct SimScheduleHistory {
    struct Fire {
        var standsFor: UInt32
        var at: Timestamp
    }

    /// When each command lay in the log, and what its first result was.
    private(set) var received: [String: Timestamp] = [:]
    private(set) var results: [String: (result: CommandResult, at: Timestamp)] = [:]
    /// Every record of a fire, by schedule and nominal time.
    private(set) var fires: [String: [Timestamp: [Fire]]] = [:]
    private(set) var drops: [String: [JournalEntry]] = [:]
    /// How far each schedule was decided, as its records say.
    private(set) var cursors: [String: [(at: Timestamp, cursor: Timestamp)]] = [:]
    private var epochs: [String: Int64] = [:]
    /// What fires and runs out of turn have as identity.
    private(set) var fingerprints: Set<Fingerprint> = []

    mutating func add(command record: CommandsTopicRecord, at time: Timestamp) {
        switch record {
        case .command(let command): received[command.id] = time
        case .result(let result): if results[result.commandID] == nil { results[result.commandID] = (result, time) }
        }
    }

    /// A zombie's word is none.
    mutating func add(_ record: SchedulesTopicRecord, by writer: ScheduleWriter?, at time: Timestamp) {
        guard case .state(let id, let state) = record, let writer, writer.epoch >= epochs[id] ?? 0 else { return }
        epochs[id] = writer.epoch
        cursors[id, default: []].append((time, state.cursor))
    }

    mutating func add(_ entry: JournalEntry) {
        switch entry.kind {
        case .skipped, .misfired: if entry.fingerprint == nil { drops[entry.subject, default: []].append(entry) }
        default: break
        }
    }

    mutating func add(due event: TaskEvent, at time: Timestamp) {
        guard let id = event.scheduleID else { return }
        fingerprints.insert(event.fingerprint)
        guard let nominal = event.nominalTime else { return }
        fires[id, default: [:]][nominal, default: []].append(Fire(standsFor: event.standsFor, at: time))
    }
}
