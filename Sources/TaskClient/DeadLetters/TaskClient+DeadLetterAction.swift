internal import TaskLog
internal import TaskModel

extension TaskClient {
    /// Sends dead letters back to their queues: same fingerprint, replay + 1, turn and attempt 1.
    ///
    /// Each event is durable in its queue before its letter is marked `replayed`, so a crash between the two replays it
    /// again under the same coordinate, and it runs once. So do two people who replay the same letters at once. Every
    /// letter is dealt with by itself: what is refused is reported and does not hold up the others. Throws only when
    /// the log does not answer; running it again goes on where it stopped.
    public func replay(
        _ selection: DeadLetterSelection, order: DeadLetterOrder,
        progress: @Sendable (DeadLetterStep) async throws -> Void = { _ in }
    ) async throws -> DeadLetterActionReport {
        try await act(on: selection, order, progress) { letters throws(ClientError) in
            try await self.replay(letters, order)
        }
    }

    /// Marks dead letters as dealt with, without running them again. They stay readable until their retention ends.
    public func discard(
        _ selection: DeadLetterSelection, order: DeadLetterOrder,
        progress: @Sendable (DeadLetterStep) async throws -> Void = { _ in }
    ) async throws -> DeadLetterActionReport {
        try await act(on: selection, order, progress) { letters throws(ClientError) in
            if order.isDryRun { return letters.map { _ in .wouldDiscard } }
            let marked = try await self.mark(letters, as: .discarded, order)
            return marked.map { $0.map { .refused($0) } ?? .discarded }
        }
    }

    private func act(
        on selection: DeadLetterSelection, _ order: DeadLetterOrder,
        _ progress: @Sendable (DeadLetterStep) async throws -> Void,
        perform: ([DeadLetterSummary]) async throws(ClientError) -> [DeadLetterStep.Result]
    ) async throws -> DeadLetterActionReport {
        let selected = try await select(selection)
        var report = DeadLetterActionReport()
        report.total = selected.letters.count + selected.missing.count
        report.isTruncated = selected.isTruncated
        var done = 0
        func tell(_ key: DeadLetterKey, _ task: String, _ result: DeadLetterStep.Result) async throws {
            done += 1
            let step = DeadLetterStep(key: key, task: task, result: result, done: done, total: report.total)
            report.count(step)
            try await progress(step)
        }
        for key in selected.missing {
            try await tell(key, "", .refused(ClientError(.notFound, "there is no dead letter \(key)")))
        }
        for letter in selected.letters where !letter.state.isOpen {
            try await tell(letter.key, letter.task, .alreadyHandled(letter.state))
        }
        var pace = Pace(rate: order.isDryRun ? nil : order.rate, start: time.uptime())
        for chunk in LetterChunks(selected.letters.filter(\.state.isOpen), limit: pace.burst) {
            let pause = pace.pause(before: chunk.count, uptime: time.uptime())
            if pause > 0 { try await time.sleep(milliseconds: pause) }
            for (letter, result) in zip(chunk, try await perform(chunk)) {
                try await tell(letter.key, letter.task, result)
            }
        }
        return report
    }

    private func select(
        _ selection: DeadLetterSelection
    ) async throws(ClientError) -> (letters: [DeadLetterSummary], missing: [DeadLetterKey], isTruncated: Bool) {
        switch selection {
        case .matching(var filter, let limit):
            filter.states = .open
            let report = DeadLetterReport(try await deadLetterFolds(filter), limit: .max)
            let oldestFirst = Array(report.letters.reversed().prefix(limit ?? .max))
            return (oldestFirst, [], report.isTruncated)
        case .letters(let keys):
            var filter = DeadLetterFilter()
            filter.states = .all
            filter.keys = Set(keys)
            let report = DeadLetterReport(try await deadLetterFolds(filter), limit: .max)
            let found = Dictionary(report.letters.map { ($0.key, $0) }) { first, _ in first }
            return (report.letters.reversed(), keys.filter { found[$0] == nil }, false)
        }
    }

    private func replay(
        _ letters: [DeadLetterSummary], _ order: DeadLetterOrder
    ) async throws(ClientError) -> [DeadLetterStep.Result] {
        let now = time.now()
        var results: [DeadLetterStep.Result?] = Array(repeating: nil, count: letters.count)
        var pending: [(index: Int, coordinate: Coordinate, record: LogAppend)] = []
        let records = try await records(of: letters)
        for (index, summary) in letters.enumerated() {
            do throws(ClientError) {
                let letter = try Self.letter(in: records[summary.place.offset], summary)
                let event = try letter.replayed(now: now)
                let due = try await topology.due(letter.queue).name
                let place = try await partition(of: event.recordKey, in: due)
                pending.append((index, event.coordinate, LogAppend(event.encoded(), to: place)))
            } catch {
                results[index] = .refused(error)
            }
        }
        if order.isDryRun {
            for (index, coordinate, _) in pending { results[index] = .wouldReplay(coordinate) }
            return results.compactMap { $0 }
        }
        let appended = await appendEach(pending.map(\.record), while: "putting replayed events into their queues")
        for (item, error) in zip(pending, appended) {
            if let error { results[item.index] = .refused(error) }
        }
        if let error = Self.outage(appended) { throw error }
        let durable = pending.filter { results[$0.index] == nil }
        let marked = try await mark(durable.map { letters[$0.index] }, as: .replayed, order)
        for (item, error) in zip(durable, marked) {
            results[item.index] = error.map { .refused($0) } ?? .replayed(item.coordinate)
        }
        return results.compactMap { $0 }
    }

    /// Marks letters, then writes the journal; nil for each that is marked.
    private func mark(
        _ letters: [DeadLetterSummary], as kind: DeadLetterMark.Kind, _ order: DeadLetterOrder
    ) async throws(ClientError) -> [ClientError?] {
        guard !letters.isEmpty else { return [] }
        let mark = DeadLetterMark(kind: kind, by: order.author, reason: order.reason, at: time.now())
        var records: [LogAppend] = []
        for letter in letters {
            let place = try await partition(of: letter.key.fingerprint.bytes, in: names.dead)
            records.append(LogAppend(DeadTopicRecord.mark(letter.key, mark).encoded(), to: place))
        }
        let results = await appendEach(records, while: "marking dead letters as \(kind.rawValue)")
        if let error = Self.outage(results) { throw error }
        try await journal(
            zip(letters, results).filter { $0.1 == nil }.map { letter, _ in
                JournalEntry(
                    subject: letter.key.fingerprint.hex, kind: kind == .replayed ? .replayed : .discarded, at: mark.at,
                    author: order.author, reason: order.reason, fingerprint: letter.key.fingerprint)
            })
        return results
    }

    private func appendEach(_ records: [LogAppend], while doing: String) async -> [ClientError?] {
        guard !records.isEmpty else { return [] }
        return await log.append(records).map { result in
            if case .failure(let error) = result { ClientError(error, while: doing) } else { nil }
        }
    }

    /// The error to stop with: all failed, in a way that the next letters would too.
    private static func outage(_ results: [ClientError?]) -> ClientError? {
        guard let first = results.first, let error = first, error.code != .tooLarge else { return nil }
        return results.allSatisfy { $0 != nil } ? error : nil
    }

    private static func letter(in record: LogRecord?, _ summary: DeadLetterSummary) throws(ClientError) -> DeadLetter {
        guard let record else {
            throw ClientError(
                .notFound, "dead letter \(summary.key) at \(summary.place) is gone: its retention has passed")
        }
        do {
            let entry = try DeadTopicRecord(
                key: record.key, value: record.value, headers: record.headers, place: record.place)
            if case .letter(let letter) = entry { return letter }
        } catch {
            throw ClientError(.refused, "dead letter \(summary.key) at \(summary.place) cannot be read: \(error)")
        }
        throw ClientError(.refused, "the record at \(summary.place) is no letter")
    }

    /// One letter with everything in it, read again from its place.
    func letter(_ summary: DeadLetterSummary) async throws(ClientError) -> DeadLetter {
        try Self.letter(in: try await records(of: [summary])[summary.place.offset], summary)
    }

    /// The records of letters of one partition, by offset, read in one pass.
    private func records(of letters: [DeadLetterSummary]) async throws(ClientError) -> [Int64: LogRecord] {
        guard let partition = letters.first.map({ TopicPartition($0.place.topic, $0.place.partition) }) else {
            return [:]
        }
        let offsets = Set(letters.map(\.place.offset))
        let found = try await collect(
            partition, from: offsets.min() ?? 0, to: (offsets.max() ?? 0) + 1, while: "reading dead letters"
        ) { offsets.contains($0.offset) ? $0 : nil }
        return Dictionary(found.map { ($0.offset, $0) }) { first, _ in first }
    }
}

/// Cuts letters into runs of one partition, each bounded in number and bytes.
struct LetterChunks: Sequence, IteratorProtocol {
    static let maximumLetters = 1000
    static let maximumBytes = 4 << 20
    /// What is counted for headers and history, and for the raw headers of a record that nobody could read.
    private static let headerBytes = 4 << 10
    private static let rawBytes = DeadLetter.RawRecord.maximumBytes

    private var rest: [TopicPartition: ArraySlice<DeadLetterSummary>]
    private let partitions: [TopicPartition]
    private var turn = 0
    private let limit: Int

    init(_ letters: [DeadLetterSummary], limit: Int) {
        let byPartition = Dictionary(grouping: letters) { TopicPartition($0.place.topic, $0.place.partition) }
        rest = byPartition.mapValues { $0.sorted { $0.place.offset < $1.place.offset }[...] }
        partitions = rest.keys.sorted()
        self.limit = Swift.min(limit, Self.maximumLetters)
    }

    mutating func next() -> [DeadLetterSummary]? {
        while turn < partitions.count {
            guard let letters = rest[partitions[turn]], !letters.isEmpty else {
                turn += 1
                continue
            }
            var bytes = 0
            let chunk = letters.prefix(limit).prefix { letter in
                defer { bytes += letter.payloadBytes + (letter.isUnreadable ? Self.rawBytes : Self.headerBytes) }
                return bytes < Self.maximumBytes
            }
            rest[partitions[turn]] = letters.dropFirst(chunk.count)
            return Array(chunk)
        }
        return nil
    }
}

/// Spreads letters evenly in time: bursts of at most a quarter of a second's worth.
struct Pace: Sendable {
    private let rate: Double?
    private let start: Int64
    private var sent = 0

    init(rate: Double?, start: Int64) {
        self.rate = rate.flatMap { $0 > 0 ? $0 : nil }
        self.start = start
    }

    var burst: Int { rate.map { max(1, Int($0 / 4)) } ?? .max }

    /// Milliseconds to wait before the next `count` letters.
    mutating func pause(before count: Int, uptime: Int64) -> Int64 {
        guard let rate else { return 0 }
        defer { sent += count }
        return max(0, start + Int64(Double(sent) * 1000 / rate) - uptime)
    }
}
