internal import TaskLog
internal import TaskModel
import TaskTestKit

/// What a broken engine gets wrong. The suite must notice each.
enum Defect: String, CaseIterable, Sendable {
    case reversesCalls, wrongReceipts, nilKeysBecomeEmpty, dropsAbsentHeaders, tombstonesBecomeEmpty
    case scanStopsShort, scanIgnoresStop, scanReadsPastEnd, boundsOffByOne, lookupOffByOne, trimsTooMuch
    case forgetsMetadata, takesLongMetadata, inventsCommits, commitsUnfenced
    case startsByItself, startsAtZero, repeatsBatches, resumeRepeats, exceedsBatch, pauseIgnored
    case epochStands, keepsReading, followerStartsAtZero, removeIgnored, skipsTooMuch, oversizeIsVague
}

/// The in-memory log with one defect.
struct BrokenLog: TaskLog {
    var log: MemoryTaskLog
    var defect: Defect

    func ensure(topics: [TopicSpec]) async throws -> [TopicDescription] { try await log.ensure(topics: topics) }
    func describe(topics: [String]) async throws -> [TopicDescription] { try await log.describe(topics: topics) }

    func append(_ records: [LogAppend]) async -> [Result<AppendReceipt, LogError>] {
        let written = records.map { record in
            var record = record
            switch defect {
            case .nilKeysBecomeEmpty: record.key = record.key ?? []
            case .tombstonesBecomeEmpty: record.value = record.value ?? []
            case .dropsAbsentHeaders: record.headers = RecordHeaders(record.headers.filter { $0.value != nil })
            default: break
            }
            return record
        }
        switch defect {
        case .reversesCalls: return await log.append(written.reversed()).reversed()
        case .wrongReceipts:
            return await log.append(written).map { result in
                result.map { AppendReceipt(offset: $0.offset + 1, timestamp: $0.timestamp) }
            }
        case .oversizeIsVague:
            return await log.append(written).map { result in
                result.mapError { $0.code == .recordTooLarge ? LogError(.recordTooLarge, "too large") : $0 }
            }
        default: return await log.append(written)
        }
    }

    func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: OffsetBounds] {
        let bounds = try await log.bounds(of: partitions)
        guard defect == .boundsOffByOne else { return bounds }
        return bounds.mapValues { OffsetBounds(start: $0.start, end: max(0, $0.end - 1)) }
    }

    func offset(for time: Timestamp, in partition: TopicPartition) async throws -> Int64 {
        let after = defect == .lookupOffByOne ? time + 1 : time
        return try await log.offset(for: after, in: partition)
    }

    func scan(
        _ partition: TopicPartition, from start: Int64, to end: Int64,
        _ body: @Sendable ([LogRecord]) async throws -> Bool
    ) async throws -> Int64 {
        switch defect {
        case .scanStopsShort: return try await log.scan(partition, from: start, to: max(start, end - 1), body)
        case .scanReadsPastEnd:
            let end = try await log.bounds(of: [partition])[partition]?.end ?? end
            return try await log.scan(partition, from: start, to: end, body)
        case .scanIgnoresStop:
            return try await log.scan(partition, from: start, to: end) { batch in
                _ = try await body(batch)
                return true
            }
        default: return try await log.scan(partition, from: start, to: end, body)
        }
    }

    func trim(_ partition: TopicPartition, before offset: Int64) async throws {
        let end = try await log.bounds(of: [partition])[partition]?.end ?? 0
        try await log.trim(partition, before: defect == .trimsTooMuch ? min(offset + 1, end) : offset)
    }

    func committed(
        group: String, partitions: [TopicPartition]
    ) async throws -> [TopicPartition: CommittedOffset] {
        var found = try await log.committed(group: group, partitions: partitions)
        switch defect {
        case .forgetsMetadata: return found.mapValues { CommittedOffset(offset: $0.offset) }
        case .inventsCommits:
            for partition in partitions where found[partition] == nil { found[partition] = CommittedOffset(offset: 0) }
            return found
        default: return found
        }
    }

    func join(_ options: GroupOptions) async throws -> any GroupMember {
        var options = options
        if defect == .exceedsBatch { options.maximumBatchRecords = 1000 }
        return BrokenMember(member: try await log.join(options), defect: defect)
    }

    func follow(_ positions: [TopicPartition: Int64], pace: FollowPace) async throws -> any LogFollower {
        let positions = defect == .followerStartsAtZero ? positions.mapValues { _ in 0 } : positions
        return BrokenFollower(follower: try await log.follow(positions, pace: pace), defect: defect)
    }

    func close() async {
        await log.close()
    }
}

private final class BrokenMember: GroupMember {
    private let member: any GroupMember
    private let defect: Defect
    private let pending = Observed<[GroupWake]>([])
    private let revoked = Observed<[TopicPartition]>([])

    init(member: any GroupMember, defect: Defect) {
        self.member = member
        self.defect = defect
    }

    func next() async throws -> GroupWake? {
        if let wake = pending.update({ $0.popLast() }) { return wake }
        let wake = try await member.next()
        switch wake {
        case .assigned(let partitions, _) where defect == .epochStands: return .assigned(partitions, epoch: 1)
        case .assigned(let partitions, _) where defect == .startsByItself:
            try await member.start(partitions.reduce(into: [:]) { $0[$1] = 0 })
        case .records(let records) where defect == .repeatsBatches: pending.update { $0 = [.records(records)] }
        case .revoking(let partitions) where defect == .keepsReading:
            pending.update { pending in
                pending = partitions.prefix(1).map {
                    .records([
                        LogRecord(
                            topic: $0.topic, partition: $0.partition, offset: 0, timestamp: .epoch, key: nil, value: nil
                        )
                    ])
                }
            }
        default: break
        }
        return wake
    }

    func start(_ positions: [TopicPartition: Int64]) async throws {
        try await member.start(defect == .startsAtZero ? positions.mapValues { _ in 0 } : positions)
    }

    func commit(_ offsets: [TopicPartition: CommittedOffset]) async throws {
        do {
            if defect == .takesLongMetadata {
                try await member.commit(offsets.mapValues { CommittedOffset(offset: $0.offset) })
            } else {
                try await member.commit(offsets)
            }
        } catch let error as LogError where error.code == .fenced && defect == .commitsUnfenced {}
    }

    func pause(_ partitions: [TopicPartition]) async {
        if defect != .pauseIgnored { await member.pause(partitions) }
    }

    func resume(_ partitions: [TopicPartition]) async {
        if defect == .resumeRepeats { try? await member.start(partitions.reduce(into: [:]) { $0[$1] = 0 }) }
        await member.resume(partitions)
    }

    func release(_ partitions: [TopicPartition]) async { await member.release(partitions) }
    func leave() async { await member.leave() }
}

private final class BrokenFollower: LogFollower {
    private let follower: any LogFollower
    private let defect: Defect

    init(follower: any LogFollower, defect: Defect) {
        self.follower = follower
        self.defect = defect
    }

    func next() async throws -> [LogRecord]? { try await follower.next() }
    func add(_ positions: [TopicPartition: Int64]) async throws { try await follower.add(positions) }
    func remove(_ partitions: [TopicPartition]) async {
        if defect != .removeIgnored { await follower.remove(partitions) }
    }
    func skip(to positions: [TopicPartition: Int64]) {
        follower.skip(to: defect == .skipsTooMuch ? positions.mapValues { $0 + 1 } : positions)
    }
    func close() async { await follower.close() }
}
