internal import TaskLog
internal import TaskModel

/// The letters of one `dead` partition, folded by (fingerprint, replay): letter < replayed < discarded, resolved.
///
/// Bounded: past `capacity` letters that match, the ones read first are forgotten and the fold says so. A mark comes after
/// its letter, so letters that turn out to be dealt with have taken room by then: where only open ones are wanted,
/// ``withoutHandled`` begins anew without them.
struct DeadLetterFold: Sendable {
    static let defaultCapacity = 100_000

    private let filter: DeadLetterFilter
    private let capacity: Int
    private var letters: [DeadLetterKey: DeadLetterSummary] = [:]
    private var order: [DeadLetterKey] = []
    private var forgotten = 0
    /// The strongest mark of each letter; a letter written again after its mark stays marked.
    private var marks: [DeadLetterKey: DeadLetterMark] = [:]
    private var markOrder: [DeadLetterKey] = []
    /// Of letters that somebody has dealt with, read before.
    private var handled: Set<DeadLetterKey> = []
    /// The same, read now, for as many as are remembered.
    private var noted: Set<DeadLetterKey> = []
    /// The highest replay of each fingerprint that has several letters.
    private var newestReplay: [Fingerprint: UInt32] = [:]

    init(filter: DeadLetterFilter, capacity: Int = Self.defaultCapacity) {
        self.filter = filter
        self.capacity = capacity
    }

    private(set) var isTruncated = false

    /// A new fold for the same records, in which letters that this one saw marked take no room; nil where none took any.
    var withoutHandled: DeadLetterFold? {
        guard filter.states == .open, isTruncated, !noted.isEmpty else { return nil }
        var fold = DeadLetterFold(filter: filter, capacity: capacity)
        fold.handled = noted
        return fold
    }

    /// Takes the next record. One that is neither letter nor mark is nobody's; the doctor counts what cannot be read.
    mutating func add(_ record: LogRecord) {
        if let outline = DeadLetterOutline(key: record.key, headers: record.headers),
            !filter.mayMatch(outline, at: record.timestamp)
        {
            // Most of a log may be of other tasks: those are not read any further.
            if outline.reason != nil { note(outline.key) }
            return
        }
        guard
            let entry = try? DeadTopicRecord(
                key: record.key, value: record.value, headers: record.headers, place: record.place)
        else { return }
        switch entry {
        case .letter(let letter):
            let key = DeadLetterKey(fingerprint: letter.event.fingerprint, replay: letter.event.replay)
            note(key)
            add(DeadLetterSummary(letter, key: key, place: record.place, at: record.timestamp))
        case .mark(let key, let mark):
            if handled.contains(key) { return }
            if filter.states == .open, noted.count < 10 * capacity { noted.insert(key) }
            if let known = marks[key], known.kind > mark.kind { return }
            if marks.updateValue(mark, forKey: key) == nil { markOrder.append(key) }
            if markOrder.count > 2 * capacity {
                for old in markOrder.prefix(capacity) where letters[old] == nil { marks[old] = nil }
                markOrder = markOrder.filter { marks[$0] != nil }
                isTruncated = true
            }
        }
    }

    private mutating func note(_ key: DeadLetterKey) {
        guard key.replay > 0 else { return }
        newestReplay[key.fingerprint] = max(newestReplay[key.fingerprint] ?? 0, key.replay)
    }

    private mutating func add(_ letter: DeadLetterSummary) {
        // The first copy counts: it is when the event died. A redone effect writes the same letter again.
        guard letters[letter.key] == nil, !handled.contains(letter.key), filter.matches(letter) else { return }
        letters[letter.key] = letter
        order.append(letter.key)
        if order.count - forgotten > capacity {
            letters[order[forgotten]] = nil
            forgotten += 1
            isTruncated = true
        }
    }

    /// The letters that match, in the order of the partition.
    var matching: [DeadLetterSummary] {
        order[forgotten...].compactMap { key in
            guard var letter = letters[key] else { return nil }
            letter.state = state(of: key)
            return filter.states == .all || letter.state.isOpen ? letter : nil
        }
    }

    private func state(of key: DeadLetterKey) -> LetterState {
        if let mark = marks[key] { return LetterState(mark) }
        if let newest = newestReplay[key.fingerprint], newest > key.replay { return .superseded(by: newest) }
        return .open
    }
}

extension DeadLetterReport {
    /// Joins the folds of several partitions; keeps the newest `limit` letters.
    init(_ folds: [DeadLetterFold], limit: Int) {
        struct Cause: Hashable {
            var task: String
            var reason: DeathReason
            var code: String
        }
        var groups: [Cause: DeadLetterGroup] = [:]
        let all = folds.flatMap(\.matching).sorted { ($0.at, $0.key.description) > ($1.at, $1.key.description) }
        for letter in all {
            let code = letter.lastFailure?.code ?? ""
            let cause = Cause(task: letter.task, reason: letter.reason, code: code)
            groups[
                cause,
                default: DeadLetterGroup(
                    task: letter.task, reason: letter.reason, code: code, count: 0, oldest: letter.at,
                    newest: letter.at, example: letter.key)
            ].count += 1
            groups[cause]?.oldest = letter.at
        }
        self.init(
            letters: Array(all.prefix(limit)), matching: all.count,
            groups: groups.values.sorted { ($1.count, $0.task, $0.code) < ($0.count, $1.task, $1.code) },
            isTruncated: folds.contains(where: \.isTruncated))
    }
}
