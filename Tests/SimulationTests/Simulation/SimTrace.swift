import Foundation
import TaskLog
import TaskModel

@testable import SchedulerRole
@testable import WorkerRole

/// The last steps of a world, in words.
struct SimTrace {
    static let length = 60
    private(set) var lines: [String] = []

    /// Of every step the lines that hold this text are printed as they come.
    private static let wanted = ProcessInfo.processInfo.environment["TIDEMILL_SIM_TRACE"]

    mutating func add(_ line: String) {
        if let wanted = Self.wanted, line.contains(wanted) { print("  \(line)") }
        lines.append(line)
        if lines.count > 4 * Self.length { lines.removeFirst(3 * Self.length) }
    }

    static func describe(_ wake: WorkerWake) -> String {
        switch wake {
        case .assigned(let partitions, let epoch): "assigned \(partitions) \(epoch)"
        case .scanned(let due, _, let records): "scanned \(due) \(records.count)"
        case .restored(let due, _, let position):
            "restored \(due) from \(position.committed?.offset ?? -1) of \(position.due.end)"
        case .revoking(let partitions): "revoking \(partitions)"
        case .lost(let partitions): "lost \(partitions)"
        case .due(let batches):
            "records \(batches.flatMap(\.facts).map { "\($0.place.partition):\($0.place.offset)" })"
        case .ledger(let batches):
            "ledger \(batches.flatMap { batch in batch.records.map { "\(batch.partition.partition):\($0.offset)" } })"
        case .finished(let ends): "finished \(ends.map { "\($0.id) \($0.result)" })"
        case .appended(let batch, let results):
            "appended \(zip(batch.purposes, results).map { "\($0) \(isSuccess($1))" })"
        case .timer: "timer"
        case .stop: "stop"
        }
    }

    static func describe(_ wake: SchedulerWake) -> String {
        switch wake {
        case .assigned(let partitions, let epoch): "assigned \(partitions) \(epoch)"
        case .revoking(let partitions): "revoking \(partitions)"
        case .lost(let partitions): "lost \(partitions)"
        case .records(let records): "records \(records.map { "\($0.topic)\($0.partition):\($0.offset)" })"
        case .followed: "followed"
        case .restored(let tenure, _): "restored \(tenure.partition)"
        case .restoreFailed(let tenure, _): "restore failed \(tenure.partition)"
        case .appended(let batch, let results): "appended \(batch) \(results.map(isSuccess))"
        case .fetched(_, let asked, _): "fetched \(asked)"
        case .described: "described"
        case .timer: "timer"
        case .stop: "stop"
        case .failed: "failed"
        }
    }

    private static func isSuccess(_ result: Result<AppendReceipt, LogError>) -> String {
        if case .success(let receipt) = result { "\(receipt.offset)" } else { "failed" }
    }

    static func describe(_ record: LogRecord) -> String {
        let place = "\(record.topicPartition)@\(record.offset)"
        if let entry = SimWorld.ledgerRecord(record), record.topic == SimWorld.names.ledger("default") {
            let body =
                switch entry.body {
                case .outcome(let detail): "\(detail.outcome)"
                case .leased(let lease): "leased \(lease.holder) \(lease.length)"
                case .released: "released"
                case .started(let alone): "started\(alone ? " alone" : "")"
                case .displaced(let other): "displaced by \(other)"
                }
            return "\(place) \(entry.coordinate) \(body)"
        }
        if let event = try? TaskEvent(
            key: record.key, value: record.value, headers: record.headers,
            place: RecordPlace(topic: record.topic, partition: record.partition, offset: record.offset))
        {
            return "\(place) \(event.coordinate)"
        }
        return "\(place) \(String(decoding: record.key ?? [], as: UTF8.self))\(record.value == nil ? " tombstone" : "")"
    }
}
