internal import ServiceRuntime
internal import TaskLog
public import TaskModel

/// A dead letter as it lies in the log, with its payload and history.
public struct DeadLetterDetail: Hashable, Sendable {
    public var summary: DeadLetterSummary
    public var letter: DeadLetter
}

extension TaskClient {
    /// Searches the dead letters; keeps at most `limit` of them (the newest), but counts and groups all that match.
    public func deadLetters(
        _ filter: DeadLetterFilter = DeadLetterFilter(), limit: Int = 100
    ) async throws(ClientError) -> DeadLetterReport {
        DeadLetterReport(try await deadLetterFolds(filter), limit: limit)
    }

    /// One letter with everything in it; without `replay` the newest of this fingerprint, in whatever state.
    public func deadLetter(
        _ fingerprint: Fingerprint, replay: UInt32? = nil
    ) async throws(ClientError) -> DeadLetterDetail {
        var filter = DeadLetterFilter()
        filter.states = .all
        filter.fingerprint = fingerprint
        let letters = DeadLetterReport(try await deadLetterFolds(filter), limit: .max).letters
        let wanted = letters.filter { replay == nil || $0.key.replay == replay }
        guard let summary = wanted.max(by: { $0.key.replay < $1.key.replay }) else {
            let which = replay.map { "of replay \($0) " } ?? ""
            throw ClientError(.notFound, "there is no dead letter \(which)of event \(fingerprint)")
        }
        return DeadLetterDetail(summary: summary, letter: try await letter(summary))
    }

    /// A fold for each partition that can hold a match. `capacity`: letters in all.
    func deadLetterFolds(
        _ filter: DeadLetterFilter, capacity: Int = DeadLetterFold.defaultCapacity
    ) async throws(ClientError) -> [DeadLetterFold] {
        let partitions = try await deadPartitions(filter)
        let empty = DeadLetterFold(filter: filter, capacity: max(1, capacity / partitions.count))
        let start = Dictionary(uniqueKeysWithValues: partitions.map { ($0, empty) })
        var folds = try await fold(start, since: filter.since)
        let again = folds.compactMapValues(\.withoutHandled)
        if !again.isEmpty {
            folds.merge(try await fold(again, since: filter.since)) { $1 }
        }
        return folds.sorted { $0.key < $1.key }.map(\.value)
    }

    private func fold(
        _ start: [TopicPartition: DeadLetterFold], since: Timestamp?
    ) async throws(ClientError) -> [TopicPartition: DeadLetterFold] {
        let folds = Shared(start)
        try await scan(start.keys.sorted(), since: since, while: "reading the dead letters") { records in
            guard let first = records.first else { return true }
            folds.change { folds in
                for record in records { folds[first.topicPartition]?.add(record) }
            }
            return true
        }
        return folds.value
    }

    private func deadPartitions(_ filter: DeadLetterFilter) async throws(ClientError) -> [TopicPartition] {
        let all = try await topology.partitions(of: names.dead)
        let named = filter.keys.map { $0.map(\.fingerprint) } ?? filter.fingerprint.map { [$0] }
        guard let named else { return all }
        let wanted = Set(named.map { Murmur2.partition(of: $0.bytes, count: Int32(all.count)) })
        return all.filter { wanted.contains($0.partition) }
    }
}
