internal import TaskLog
internal import TaskModel

/// The commands of one partition that wait for their turn, in log order, and how far the partition is settled.
struct CommandQueue: Sendable {
    enum Item: Sendable {
        case command(ReceivedCommand)
        /// A command that cannot be read, but says who it is: it is refused.
        case unreadable(id: String, scheduleID: String, offset: Int64, reason: String)

        var offset: Int64 {
            switch self {
            case .command(let received): received.offset
            case .unreadable(_, _, let offset, _): offset
            }
        }

        var scheduleID: String {
            switch self {
            case .command(let received): received.command.scheduleID
            case .unreadable(_, let scheduleID, _, _): scheduleID
            }
        }
    }

    /// What became of a record.
    enum Arrival: Sendable {
        case queued
        /// A result, or a command that had its result already.
        case passed
        /// No command, and without an id that a result could name.
        case foreign(reason: String)
    }

    /// Commands above the committed offset that had their result before this scheduler came.
    private var answered: Set<String>
    private var items: [Item] = []
    private var head = 0
    private var underWay: Set<Int64> = []
    private var position: Int64

    init(position: Int64, answered: Set<String>) {
        self.position = position
        self.answered = answered
    }

    var count: Int { items.count - head }
    var first: Item? { head < items.count ? items[head] : nil }

    mutating func receive(_ record: LogRecord) -> Arrival {
        guard record.offset >= position else { return .passed }
        position = record.offset + 1
        guard !CommandsTopicRecord.isResult(record.headers) else { return .passed }
        let id = CommandsTopicRecord.commandID(in: record.headers)
        if let id, answered.remove(id) != nil { return .passed }
        do {
            let parsed = try CommandsTopicRecord(key: record.key, value: record.value, headers: record.headers)
            guard case .command(let command) = parsed else { return .passed }
            if answered.remove(command.id) != nil { return .passed }
            items.append(
                .command(ReceivedCommand(command: command, offset: record.offset, at: record.timestamp)))
            return .queued
        } catch {
            guard let id, let key = record.key, let scheduleID = String(validating: key, as: UTF8.self) else {
                return .foreign(reason: error.description)
            }
            items.append(
                .unreadable(id: id, scheduleID: scheduleID, offset: record.offset, reason: error.description))
            return .queued
        }
    }

    /// Takes the first one; it is under way until `settle`.
    mutating func takeFirst() {
        guard let first else { return }
        underWay.insert(first.offset)
        head += 1
        if head == items.count || head > 1000 {
            items.removeFirst(head)
            head = 0
        }
    }

    /// Its result is durable.
    mutating func settle(offset: Int64) { underWay.remove(offset) }

    /// Everything below is settled.
    var settledOffset: Int64 { min(underWay.min() ?? .max, first?.offset ?? .max, position) }
}
