import Foundation
internal import ServiceRuntime
import Synchronization
internal import TaskLog
public import TaskModel

/// What a scheduler answered to a command.
public enum CommandReply: Hashable, Sendable {
    /// Done; `revision` holds now. `fingerprint` is the run that a trigger made.
    case applied(revision: UInt64, fingerprint: Fingerprint?)
    /// Somebody else changed the schedule meanwhile: read it again.
    case conflict(revision: UInt64, spec: ScheduleSpec?)
    case refused(reason: String)
    /// The command is durable, but no scheduler has answered in time. It is applied when one runs.
    case queued(commandID: String)
}

extension TaskClient {
    /// Milliseconds that a command waits for its scheduler. Default of every call that sends one.
    public static let commandTimeout: Int64 = 10_000

    /// All schedules, by id.
    public func schedules() async throws(ClientError) -> [ScheduleView] {
        try await fold(try await topology.partitions(of: names.schedules))
    }

    /// One schedule; throws `notFound`.
    public func schedule(_ id: String) async throws(ClientError) -> ScheduleView {
        let place = try await partition(of: Array(id.utf8), in: names.schedules)
        guard let found = try await fold([place]).first(where: { $0.id == id }) else {
            throw ClientError(.notFound, "there is no schedule \"\(id)\"; `tidemill schedules list` shows them")
        }
        return found
    }

    /// What the journal tells about a schedule, oldest first.
    public func journal(ofSchedule id: String) async throws(ClientError) -> [JournalEntry] {
        try await journal(of: id)
    }

    /// Creates or replaces a schedule. `baseRevision` is what the caller saw: 0 for "there must be none", nil for any.
    public func put(
        _ spec: ScheduleSpec, baseRevision: UInt64? = nil, author: String, reason: String = "",
        timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> CommandReply {
        try await send(
            command(.put(spec), spec.id, baseRevision, author, reason, origin: spec.origin), timeout: timeout)
    }

    public func removeSchedule(
        _ id: String, baseRevision: UInt64? = nil, author: String, reason: String = "",
        timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> CommandReply {
        try await send(command(.remove, id, baseRevision, author, reason), timeout: timeout)
    }

    /// Fires nothing until resumed, or until an instant. `note` says why.
    public func pauseSchedule(
        _ id: String, note: String, until: Timestamp? = nil, baseRevision: UInt64? = nil, author: String,
        timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> CommandReply {
        try await send(command(.pause(note: note, until: until), id, baseRevision, author, note), timeout: timeout)
    }

    public func resumeSchedule(
        _ id: String, baseRevision: UInt64? = nil, author: String, reason: String = "",
        timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> CommandReply {
        try await send(command(.resume, id, baseRevision, author, reason), timeout: timeout)
    }

    /// One run out of turn, now or at an instant, with the schedule's payload or another one.
    public func triggerSchedule(
        _ id: String, at time: Timestamp? = nil, payload: [UInt8]? = nil, author: String, reason: String = "",
        timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> CommandReply {
        try await send(command(.trigger(at: time, payload: payload), id, nil, author, reason), timeout: timeout)
    }

    /// Sends one command and waits for its result.
    public func send(
        _ command: ScheduleCommand, timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> CommandReply {
        try await send([command], timeout: timeout)[0]
    }

    /// Sends commands, in order for each schedule, and waits for their results together. A timeout of 0 does not wait.
    public func send(
        _ commands: [ScheduleCommand], timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> [CommandReply] {
        guard !commands.isEmpty else { return [] }
        for command in commands {
            if let problem = command.problems.first {
                throw ClientError(.invalidRequest, "schedule \"\(command.scheduleID)\": \(problem)")
            }
        }
        var records: [LogAppend] = []
        for command in commands {
            let place = try await partition(of: Array(command.scheduleID.utf8), in: names.commands)
            records.append(LogAppend(CommandsTopicRecord.command(command).encoded(), to: place))
        }
        var positions: [TopicPartition: Int64] = [:]
        do {
            let places = Set(records.map { TopicPartition($0.topic, $0.partition) })
            positions = try await log.bounds(of: places.sorted()).mapValues(\.end)
        } catch {
            throw ClientError(wrapping: error, while: "reading the end of \(names.commands)")
        }
        try await append(records, while: "writing to \(names.commands)")
        let replies =
            timeout > 0 ? try await replies(to: Set(commands.map(\.id)), from: positions, timeout: timeout) : [:]
        return commands.map { replies[$0.id] ?? .queued(commandID: $0.id) }
    }

    func command(
        _ kind: ScheduleCommand.Kind, _ id: String, _ baseRevision: UInt64?, _ author: String, _ reason: String,
        origin: ScheduleOrigin = .api
    ) -> ScheduleCommand {
        ScheduleCommand(
            id: UUID().uuidString.lowercased(), scheduleID: id, kind: kind, baseRevision: baseRevision, author: author,
            reason: reason, origin: origin)
    }

    private func fold(_ partitions: [TopicPartition]) async throws(ClientError) -> [ScheduleView] {
        let fold = Shared(SchedulesFold())
        try await scan(partitions, while: "reading the schedules") { records in
            fold.change { fold in
                // What cannot be read was not written by a scheduler of this version; the others still show.
                for record in records {
                    if let entry = try? SchedulesTopicRecord(key: record.key, value: record.value) {
                        fold.apply(entry, by: SchedulesTopicRecord.writer(in: record.headers))
                    }
                }
            }
            return true
        }
        return fold.value.views
    }

    private func replies(
        to commands: Set<String>, from positions: [TopicPartition: Int64], timeout: Int64
    ) async throws(ClientError) -> [String: CommandReply] {
        let found = ReplyBox(waitingFor: commands)
        do {
            let follower = try await log.follow(positions)
            try await withThrowingTaskGroup(of: Void.self) { [time] group in
                group.addTask {
                    while !found.isComplete, let records = try await follower.next() { found.take(records) }
                }
                group.addTask { try await time.sleep(milliseconds: timeout) }
                let first = await group.nextResult()
                group.cancelAll()
                await follower.close()
                try first?.get()
            }
        } catch {
            throw ClientError(wrapping: error, while: "waiting for a scheduler's answer")
        }
        return found.replies
    }
}

/// The results that have come in for the commands of one call. The first result of a command counts.
private final class ReplyBox: Sendable {
    private let state: Mutex<(missing: Set<String>, replies: [String: CommandReply])>

    init(waitingFor commands: Set<String>) { state = Mutex((commands, [:])) }

    var isComplete: Bool { state.withLock { $0.missing.isEmpty } }
    var replies: [String: CommandReply] { state.withLock { $0.replies } }

    func take(_ records: [LogRecord]) {
        for record in records where CommandsTopicRecord.isResult(record.headers) {
            guard
                case .result(let result) = try? CommandsTopicRecord(
                    key: record.key, value: record.value, headers: record.headers)
            else { continue }
            state.withLock { state in
                guard state.missing.remove(result.commandID) != nil else { return }
                state.replies[result.commandID] = CommandReply(result)
            }
        }
    }
}

extension CommandReply {
    init(_ result: CommandResult) {
        self =
            switch result.outcome {
            case .applied(let revision): .applied(revision: revision, fingerprint: result.fingerprint)
            case .conflict(let revision, let spec): .conflict(revision: revision, spec: spec)
            case .refused(let reason): .refused(reason: reason)
            }
    }
}
