internal import TaskLog
internal import TaskModel
import TaskTestKit

/// One broker with a topic `t` of two partitions, a clock, and handles as processes have them.
struct MemoryLogWorld {
    let time = ManualTimeSource()
    let broker: MemoryBroker
    let log: MemoryTaskLog
    let zero = TopicPartition("t", 0)
    let one = TopicPartition("t", 1)

    init(cleanup: TopicSpec.Cleanup = .never) async throws {
        broker = MemoryBroker(time: time)
        log = MemoryTaskLog(broker: broker)
        _ = try await log.ensure(topics: [TopicSpec(name: "t", partitions: 2, cleanup: cleanup)])
    }

    func record(_ text: String, key: String? = nil) -> LogAppend {
        LogAppend(topic: "t", partition: 0, key: key.map { Array($0.utf8) }, value: Array(text.utf8))
    }

    var texts: [String] { broker.records(of: zero).map(\.valueText) }

    func options(_ client: String) -> GroupOptions {
        GroupOptions(
            group: "g", topics: ["t"], clientID: client, sessionTimeoutMilliseconds: 8000,
            revokeTimeoutMilliseconds: 2000)
    }
}

extension LogRecord {
    var valueText: String { String(decoding: value ?? [], as: UTF8.self) }
}

/// A wake in short, so that tests can compare a story.
func story(_ wake: GroupWake?) -> String {
    func list(_ partitions: [TopicPartition]) -> String {
        partitions.sorted().map { String($0.partition) }.joined(separator: ",")
    }
    switch wake {
    case nil: return "end"
    case .assigned(let partitions, let epoch): return "assigned \(list(partitions)) in \(epoch)"
    case .revoking(let partitions): return "revoking \(list(partitions))"
    case .lost(let partitions): return "lost \(list(partitions))"
    case .records(let records): return "records " + records.map(\.valueText).joined(separator: ",")
    }
}
