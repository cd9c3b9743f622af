internal import TaskLog
internal import TaskModel

/// How many partitions the topics have that every scheduler writes to or reads.
struct TopicCounts: Hashable, Sendable {
    var commands: Int32
    var retry: Int32
    var dead: Int32
    var journal: Int32
}

/// Puts values on their topic and partition.
struct RecordMaker: Sendable {
    let names: TopicNames
    let counts: TopicCounts
    let writerName: String
    private let retryTopic: String
    private let schedulesTopic: String
    private let journalTopic: String

    init(names: TopicNames, counts: TopicCounts, writerName: String) {
        self.names = names
        self.counts = counts
        self.writerName = writerName
        retryTopic = names.retry
        schedulesTopic = names.schedules
        journalTopic = names.journal
    }

    func due(_ event: TaskEvent, in topic: DueTopic) -> LogAppend {
        append(event.encoded(), topic.name, Murmur2.partition(ofHash: event.recordKeyHash, count: topic.partitions))
    }

    func due(_ emission: DueEmission, in topic: DueTopic) -> LogAppend {
        append(
            emission.body, topic.name, Murmur2.partition(of: emission.body.key ?? [], count: topic.partitions))
    }

    func waiting(_ event: WaitingEvent) -> LogAppend {
        append(event.encoded(), names.retry, retryPartition(of: event.event.fingerprint))
    }

    func tombstone(_ key: RetryKey, partition: Int32) -> LogAppend {
        LogAppend(topic: retryTopic, partition: partition, key: key.bytes, value: nil)
    }

    func dead(_ letter: DeadLetter) -> LogAppend {
        append(
            letter.encoded(), names.dead,
            Murmur2.partition(of: letter.event.fingerprint, count: counts.dead))
    }

    func schedule(_ record: SchedulesTopicRecord, partition: Int32, epoch: Int64) -> LogAppend {
        append(
            record.encoded(by: ScheduleWriter(epoch: epoch, name: writerName)), schedulesTopic, partition)
    }

    func result(_ result: CommandResult, partition: Int32) -> LogAppend {
        append(CommandsTopicRecord.result(result).encoded(), names.commands, partition)
    }

    func journal(_ entry: JournalEntry) -> LogAppend {
        append(
            entry.encoded(), journalTopic,
            Murmur2.partition(of: Array(entry.subject.utf8), count: counts.journal))
    }

    func retryPartition(of fingerprint: Fingerprint) -> Int32 {
        Murmur2.partition(of: fingerprint, count: counts.retry)
    }

    private func append(_ body: RecordBody, _ topic: String, _ partition: Int32) -> LogAppend {
        LogAppend(body, to: TopicPartition(topic, partition))
    }
}
