import Foundation
import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TidemillCLI

/// Runs command lines against an in-memory log, and keeps what they write.
struct CommandsWorld {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    let time = ManualTimeSource()
    let log: MemoryTaskLog
    let client: TaskClient
    var input = ""
    var errorTerminal = Terminal.plain
    var schedules: [ScheduleSpec] = []

    static let root = CommandSpec("tidemill", "test", subcommands: ClientCommands.specs)

    init(createTopics: Bool = true) async throws {
        log = MemoryTaskLog(time: time)
        let plan = TopicPlan(
            queues: [QueuePlan(name: "default", partitions: 2), QueuePlan(name: "mail", partitions: 2)],
            controlPartitions: 2)
        client = TaskClient(log: log, plan: plan, time: time, source: "cli-test")
        if createTopics { _ = try await client.ensureTopics() }
    }

    var plan: TopicPlan { client.plan }

    /// Without a command's own error: usage errors of the parser included, as the program shows them.
    func run(_ words: String...) async throws -> Result { try await run(words, written: Observed<[String]>([])) }

    /// `written` sees stdout as it comes.
    func run(_ words: [String], written: Observed<[String]>) async throws -> Result {
        let errors = Observed<String>("")
        let specs = schedules
        let bytes = Array(input.utf8)
        let context = CommandContext(
            client: client,
            output: CommandOutput(
                terminal: .plain, errorTerminal: errorTerminal,
                write: { text in written.update { $0.append(text) } },
                writeError: { text in errors.update { $0 += text } }),
            files: CommandFiles { path in
                path == "-" ? BytesSource(bytes) : try CommandFiles.system.open(path)
            },
            author: "ann@host", loadSchedules: { _ in (specs, .file("jobs.yaml")) })
        let arguments: ParsedArguments
        do {
            guard case .run(let parsed) = try CommandLineParser(root: Self.root).parse(words) else {
                Issue.record("\(words) is no command to run")
                return Result(status: -1, output: "", errors: "")
            }
            arguments = parsed
        } catch {
            return Result(status: UsageError.exitCode, output: "", errors: "\(error)")
        }
        let command = try #require(ClientCommands.command(at: arguments.path))
        let status = await ClientCommands.run(command, arguments, context)
        return Result(status: status, output: written.value.joined(), errors: errors.value)
    }

    /// A JSON result.
    func json(_ words: String...) async throws -> [String: Any] {
        let result = try await run(words + ["--output", "json"], written: Observed<[String]>([]))
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        return try #require(object as? [String: Any])
    }

    func records(_ topic: String) async throws -> [LogRecord] {
        let found = Observed<[LogRecord]>([])
        for description in try await log.describe(topics: [topic]) {
            for partition in 0..<description.partitions {
                try await log.scanAll(TopicPartition(topic, partition)) { records in
                    found.update { $0 += records }
                    return true
                }
            }
        }
        return found.value
    }

    func dueEvents(_ queue: String = "default") async throws -> [TaskEvent] {
        try await records(plan.names.due(queue)).map { record in
            try TaskEvent(
                key: record.key, value: record.value, headers: record.headers,
                place: RecordPlace(topic: record.topic, partition: record.partition, offset: record.offset))
        }
    }

    /// As a worker: the outcome of an event.
    func decide(_ event: TaskEvent, _ detail: OutcomeDetail, queue: String = "default") async throws {
        let record = LedgerRecord(
            coordinate: event.coordinate, attempt: event.attempt, laneHash: event.laneHash, worker: "w-1/aa",
            body: .outcome(detail))
        _ = try await log.append(
            LogAppend(
                topic: plan.names.ledger(queue), partition: Murmur2.partition(of: event.recordKey, count: 2),
                key: event.fingerprint.bytes, value: record.encoded()))
    }

    /// As a worker: the dead letter of an event.
    func bury(_ event: TaskEvent, code: String = "error", message: String = "it broke") async throws {
        var event = event
        event.history.append(
            AttemptFailure(
                attempt: event.attempt, turn: event.turn, replay: event.replay, at: time.now(), worker: "w-1/aa",
                code: code, message: message))
        let body = DeadLetter(
            event: event, queue: "default", reason: .attemptsExhausted,
            place: RecordPlace(topic: plan.names.due("default"), partition: 0, offset: 0)
        ).encoded()
        _ = try await log.append(
            LogAppend(
                topic: plan.names.dead, partition: Murmur2.partition(of: event.fingerprint.bytes, count: 2),
                key: body.key, value: body.value, headers: body.headers))
    }

    func event(_ id: String, task: String = "report") -> TaskEvent {
        TaskEvent(
            id: id, source: "test", task: task, payload: Array("{\"n\":1}".utf8),
            fingerprint: Fingerprint(.event(source: "test", id: id)))
    }
}

/// A source that a test fills.
final class BytesSource: ByteSource {
    private var rest: ArraySlice<UInt8>
    private let piece: Int

    init(_ bytes: [UInt8], piece: Int = 7) {
        rest = bytes[...]
        self.piece = piece
    }

    func read() -> [UInt8] {
        defer { rest = rest.dropFirst(piece) }
        return Array(rest.prefix(piece))
    }
}

/// A file that lives as long as the closure.
func withTemporaryFile<Value>(
    _ bytes: [UInt8], _ body: (String) async throws -> Value
) async throws -> Value {
    let path = NSTemporaryDirectory() + "tidemill-commands-\(UUID().uuidString)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
