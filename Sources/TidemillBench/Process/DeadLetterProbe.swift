import TaskClient
import TaskLog
import TaskModel
import TaskTelemetry
import Tidemill
import TidemillHarness

/// Searching and replaying dead letters through the library, as an operator does.
enum DeadLetterProbe {
    static let find = "find"
    static let replay = "replay"
    static let wanted = "wanted"
    static let others = 9

    /// Writes letters of ten tasks, then searches for those of one, and replays them. Letters a second: all that were
    /// read for the search, and those that were replayed.
    static func run(_ place: BenchPlace, letters: Int) async throws -> (figures: [String: Double], use: ProcessReading)
    {
        let installation = try await Installation.open(
            place.configuration(id: "probe"), logger: Logger(level: .warning, sink: JSONLogSink()))
        let client = installation.client
        try await write(letters, installation)
        let matching = (letters + others) / (others + 1)
        let before = ProcessReading.own()
        var filter = DeadLetterFilter()
        filter.task = wanted
        var start = BenchClock.monotonic()
        let report = try await client.deadLetters(filter)
        var figures = [find: rate(letters, since: start)]
        guard report.matching == matching || report.isTruncated else {
            throw HarnessFailure("\(report.matching) letters were found, not \(matching)")
        }
        start = BenchClock.monotonic()
        var replayed = 0
        // One run takes a bounded number of letters and says when there are more.
        while true {
            let round = try await client.replay(
                .matching(filter), order: DeadLetterOrder(author: "bench", reason: "measured"))
            replayed += round.done
            if !round.isTruncated || round.done == 0 { break }
        }
        figures[replay] = rate(replayed, since: start)
        var use = ProcessReading.own()
        use.cpuMicroseconds -= before.cpuMicroseconds
        let due = installation.configuration.topicPlan.names.due(TopicNames.defaultQueue)
        let partitions = (0..<Int32(place.partitions)).map { TopicPartition(due, $0) }
        let published = try await installation.log.bounds(of: partitions).values.reduce(0) { $0 + $1.end }
        await installation.log.close()
        guard replayed == matching, published == matching else {
            throw HarnessFailure("\(matching) letters to replay, \(replayed) replayed, \(published) in the queue")
        }
        return (figures, use)
    }

    private static func rate(_ count: Int, since start: Int64) -> Double {
        Double(count) * 1e9 / Double(max(1, BenchClock.monotonic() - start))
    }

    private static func write(_ letters: Int, _ installation: Installation) async throws {
        let plan = installation.configuration.topicPlan
        for start in stride(from: 0, to: letters, by: 1000) {
            let batch = (start..<min(letters, start + 1000)).map { index in
                let letter = letter(index, plan.names.due(TopicNames.defaultQueue))
                let body = DeadTopicRecord.letter(letter).encoded()
                let partition = Murmur2.partition(of: letter.event.fingerprint, count: plan.controlPartitions)
                return LogAppend(body, to: TopicPartition(plan.names.dead, partition))
            }
            for result in await installation.log.append(batch) { _ = try result.get() }
        }
    }

    private static func letter(_ index: Int, _ due: String) -> DeadLetter {
        let task = index % (others + 1) == 0 ? wanted : "other-\(index % (others + 1))"
        var event = TaskEvent(
            id: "letter-\(index)", source: "tidemill", task: task, payload: WorkOrder().payload(100),
            contentType: "application/octet-stream",
            fingerprint: Fingerprint(.event(source: "tidemill", id: "letter-\(index)")))
        event.attempt = 3
        event.turn = 3
        event.history.append(
            AttemptFailure(
                attempt: 3, turn: 3, replay: 0, at: Timestamp(milliseconds: BenchClock.wall() / 1_000_000),
                worker: "worker1/4f2a91c3", code: "planned", message: "it fails each time"))
        return DeadLetter(
            event: event, queue: TopicNames.defaultQueue, reason: .attemptsExhausted,
            place: RecordPlace(topic: due, partition: 0, offset: Int64(index)))
    }
}
