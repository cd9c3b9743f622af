import Settings
import TaskClient
import TaskModel

/// `tidemill publish`
enum PublishCommand: ClientCommand {
    static let path = ["publish"]

    static let spec = CommandSpec(
        "publish", "Publish an event, or a file of them",
        discussion: """
            The payload is given as text, as @FILE, or as - for stdin. Without an identity option every call is new work; \
            --idempotency-key, --fingerprint and --unique make equal calls the same work, within one queue and lane and \
            within the dedup window.

            A batch file holds one JSON object a line, with the members task, payload (any JSON), key, idempotency_key, \
            fingerprint, id, source, delay, at, expires, queue, headers and content_type. Bad lines are reported and the \
            rest is published.
            """,
        section: ClientCommands.Section.events,
        examples: [
            .init("tidemill publish report '{\"month\":\"2026-10\"}'"),
            .init("tidemill publish report @report.json --delay 10m --wait=1h", "later, and wait for its end"),
            .init("tidemill publish --batch events.jsonl"),
        ],
        options: [
            .value("queue", short: "q", .text, "The queue", default: "default"),
            .value("key", short: "k", .text, "The lane: events with one key run in one place"),
            .value("header", short: "H", .pair, "A header for the handler", occurrence: .repeated),
            .value("content-type", .text, "The payload's media type", default: "by its content"),
            .value("source", .text, "CloudEvents source", section: "Identity"),
            .value("id", .text, "CloudEvents id, unique within the source", section: "Identity"),
            .value(
                "idempotency-key", .text, "The same task with this key is the same work", section: "Identity"),
            .value("fingerprint", .text, "The identity itself: 32 hex digits", section: "Identity"),
            .optionalValue(
                "unique", .duration, "An equal payload is the same work (within this long)", placeholder: "WINDOW",
                section: "Identity"),
            .value("delay", short: "d", .duration, "Not before this long from now", section: "Time"),
            .value("at", .time, "Not before this instant", section: "Time"),
            .value("expires", .time, "Never start at or after this instant", section: "Time"),
            .optionalValue("wait", .duration, "Follow it to its end, for at most this long", section: "Time"),
            .value("batch", .path, "Publish each line of this JSON Lines file, - for stdin", section: "Batch"),
            OutputFormat.option,
        ],
        arguments: [
            ArgumentSpec(
                "task", .text, "The task's name; with --batch, for lines that name none", occurrence: .optional),
            ArgumentSpec("payload", .text, "Text, @FILE, or - for stdin", occurrence: .optional),
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        if let file = arguments.text("batch") {
            return try await PublishBatch(file: file, arguments: arguments, context: context).run()
        }
        let request = try request(arguments, context)
        let format = try OutputFormat(arguments)
        switch try arguments.optionalDuration("wait") {
        case .absent:
            let receipt = try await context.client.publish(request)
            try show(receipt, format, context)
            return ExitStatus.success
        case .bare: return try await wait(request, timeout: nil, format, context)
        case .value(let timeout):
            return try await wait(request, timeout: timeout.inMilliseconds, format, context)
        }
    }

    // MARK: Request

    private static func request(_ arguments: ParsedArguments, _ context: CommandContext) throws -> PublishRequest {
        guard let task = arguments.argument("task") else { throw arguments.usage("the task is missing") }
        let now = context.time.now()
        let payload = try payload(arguments, context)
        var request = PublishRequest(
            task: task, payload: payload,
            contentType: arguments.text("content-type") ?? PayloadType.guess(payload))
        request.queue = arguments.text("queue") ?? request.queue
        request.key = arguments.text("key")
        request.headers = try arguments.pairs("header").map { RecordHeader($0.name, $0.value) }
        request.expiresAt = try arguments.time("expires", now: now)
        request.source = arguments.text("source")
        if let id = arguments.text("id") { request.id = id }
        request.identity = try identity(arguments)
        switch (try arguments.milliseconds("delay"), try arguments.time("at", now: now)) {
        case (_?, _?): throw arguments.usage("--delay and --at exclude each other")
        case (let delay?, nil): request.start = .after(milliseconds: delay)
        case (nil, let time?): request.start = .at(time)
        case (nil, nil): break
        }
        return request
    }

    private static func identity(_ arguments: ParsedArguments) throws -> PublishRequest.Identity {
        let given = ["idempotency-key", "fingerprint", "unique"].filter(arguments.has)
        guard given.count <= 1 else {
            throw arguments.usage("\(given.map { "--\($0)" }.joined(separator: " and ")) exclude each other")
        }
        if let key = arguments.text("idempotency-key") { return .idempotencyKey(key) }
        if let text = arguments.text("fingerprint") { return .fingerprint(try arguments.fingerprint(text)) }
        switch try arguments.optionalDuration("unique") {
        case .absent: return .automatic
        case .bare: return .unique(window: nil)
        case .value(let window): return .unique(window: window.inMilliseconds)
        }
    }

    private static func payload(_ arguments: ParsedArguments, _ context: CommandContext) throws -> [UInt8] {
        guard let text = arguments.argument("payload") else { return [] }
        return try context.files.payload(text, limit: context.plan.maximumEventBytes)
    }

    // MARK: Result

    private static func show(
        _ receipt: PublishReceipt, _ format: OutputFormat, _ context: CommandContext
    ) throws {
        if format == .json { return try context.output.writeJSON(receipt) }
        let state =
            switch receipt.destination {
            case .due: "due"
            case .waiting(let until): "waiting until \(until.rfc3339)"
            }
        context.output.write("\(receipt.fingerprint)  \(receipt.place)  \(state)\n")
    }

    private static func wait(
        _ request: PublishRequest, timeout: Int64?, _ format: OutputFormat, _ context: CommandContext
    ) async throws -> Int32 {
        let output = context.output
        let result = try await context.client.publish(
            request, waitingAtMost: timeout,
            onPublished: { receipt in
                // With JSON the result is one object: the end. Where it was put is told on stderr.
                if format == .json {
                    output.note("published \(receipt.fingerprint) at \(receipt.place)")
                } else {
                    try? show(receipt, format, context)
                }
            },
            progress: { output.note(WaitReport.describe($0)) })
        return try WaitReport.show(result, timeout: timeout, format, context)
    }
}

/// The media type of a payload that nobody has named.
enum PayloadType {
    static func guess(_ payload: [UInt8]) -> String? {
        if payload.isEmpty { return nil }
        if CanonicalJSON.canonical(payload) != nil { return "application/json" }
        return String(validating: payload, as: UTF8.self) == nil ? "application/octet-stream" : "text/plain"
    }
}
