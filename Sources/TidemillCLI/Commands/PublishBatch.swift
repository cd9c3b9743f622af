import TaskClient
import TaskModel

/// `tidemill publish --batch FILE`: streams the lines, publishes them in chunks, and goes on after a bad one.
struct PublishBatch {
    let file: String
    let arguments: ParsedArguments
    let context: CommandContext
    private let format: OutputFormat
    private let reader: BatchLine

    /// What happened so far.
    private struct Count {
        var published = 0
        var failed = 0
        var done: Int { published + failed }
    }

    init(file: String, arguments: ParsedArguments, context: CommandContext) throws {
        let single = [
            "key", "header", "content-type", "source", "id", "idempotency-key", "fingerprint", "unique", "delay", "at",
            "expires", "wait",
        ]
        if let option = single.first(where: arguments.has) {
            throw arguments.usage("--\(option) does not go with --batch: each line says its own")
        }
        if arguments.argument("payload") != nil {
            throw arguments.usage("a payload does not go with --batch: each line has its own")
        }
        self.file = file
        self.arguments = arguments
        self.context = context
        format = try OutputFormat(arguments)
        reader = BatchLine(
            defaultTask: arguments.argument("task"), defaultQueue: arguments.text("queue"), now: context.time.now())
    }

    func run() async throws -> Int32 {
        var progress = ProgressBar(
            label: "publishing", total: try countLines(), terminal: context.output.errorTerminal,
            uptime: context.time.uptime())
        var lines = try openLines()
        var count = Count()
        var chunk: [(line: Int, request: PublishRequest)] = []
        var bytes = 0
        var number = 0
        while let line = try lines.next() {
            number += 1
            do {
                guard let request = try request(line) else { continue }
                chunk.append((number, request))
                bytes += request.payload.count
            } catch {
                report(number, "\(error)", &count)
            }
            if chunk.count >= TaskClient.chunkRecords || bytes >= TaskClient.chunkBytes {
                try await send(&chunk, &count)
                bytes = 0
            }
            show(progress.update(done: count.done, uptime: context.time.uptime()))
        }
        try await send(&chunk, &count)
        if context.output.errorTerminal.isInteractive {
            show(progress.finish(done: count.done, uptime: context.time.uptime()))
        }
        let summary = "published \(count.published) events, \(count.failed) lines failed"
        if format == .json { context.output.note(summary) } else { context.output.write(summary + "\n") }
        return count.failed == 0 ? ExitStatus.success : ExitStatus.failure
    }

    /// Nil for a line without text.
    private func request(_ line: LineReader.Line) throws -> PublishRequest? {
        switch line {
        case .tooLong: throw BatchLineError("is longer than any event may be")
        case .text(let bytes):
            if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return nil }
            return try reader.request(bytes)
        }
    }

    private func send(_ chunk: inout [(line: Int, request: PublishRequest)], _ count: inout Count) async throws {
        guard !chunk.isEmpty else { return }
        let results = await context.client.publish(chunk.map(\.request))
        for (item, result) in zip(chunk, results) {
            switch result {
            case .success(let receipt):
                count.published += 1
                if format == .json { context.output.write(try OutputFormat.jsonLine(receipt)) }
            case .failure(let error): report(item.line, error.message, &count)
            }
        }
        chunk = []
    }

    private func report(_ line: Int, _ problem: String, _ count: inout Count) {
        count.failed += 1
        let clear = context.output.errorTerminal.isInteractive ? "\r\u{1B}[K" : ""
        let name = file == "-" ? "stdin" : file
        context.output.writeError("\(clear)\(name):\(line): \(DisplayText.visible(problem))\n")
    }

    private func show(_ text: String?) {
        if let text { context.output.writeError(text) }
    }

    private func openLines() throws -> LineReader {
        // A line holds the payload as JSON and a few members beside it.
        LineReader(try context.files.open(file), limit: context.plan.maximumEventBytes + (64 << 10))
    }

    /// Counted first when somebody watches, and the lines can be read twice.
    private func countLines() throws -> Int? {
        guard context.output.errorTerminal.isInteractive, file != "-" else { return nil }
        var lines = try openLines()
        var count = 0
        while try lines.next() != nil { count += 1 }
        return count
    }
}
