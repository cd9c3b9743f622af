public import TaskModel

/// A member of a spec that two versions of a schedule have differently.
public struct ScheduleFieldChange: Hashable, Sendable {
    /// Its JSON name.
    public var name: String
    /// Its JSON on the one and the other side; nil where it has its default.
    public var from: String?
    public var to: String?
}

/// What applying a set of schedules does to one of them.
public struct ScheduleChange: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case create
        /// What changes of it.
        case update([ScheduleFieldChange])
        case remove
        /// It came from the same origin, is not wanted any more, and stays because nothing is pruned.
        case orphaned
        case unchanged
        /// It cannot be applied.
        case refused(String)

        public var word: String {
            switch self {
            case .create: "create"
            case .update: "update"
            case .remove: "remove"
            case .orphaned: "orphaned"
            case .unchanged: "unchanged"
            case .refused: "refused"
            }
        }
    }

    public var id: String
    public var kind: Kind
    /// The revision that was compared with; 0 when there was none.
    public var baseRevision: UInt64
    /// What to put; nil for removals.
    public var spec: ScheduleSpec?
    /// What the scheduler answered; nil when nothing was sent.
    public var reply: CommandReply?
    /// Of a conflict: the schedule as it is now, with who changed it and when; nil when there is none any more.
    public var stored: ScheduleView?
}

/// Compares wanted schedules with the ones that there are. Pure.
public enum ScheduleDiff {
    /// Changes in the order of `wanted`, removals last.
    ///
    /// `prune` removes schedules that came from the same origin and are not wanted any more; otherwise they are told as
    /// orphaned. Those of other origins stay in any case.
    /// A pause is left as it is: it is an operator's decision, not the file's.
    public static func changes(
        current: [ScheduleView], wanted: [ScheduleSpec], origin: ScheduleOrigin, prune: Bool
    ) -> [ScheduleChange] {
        let existing = Dictionary(current.map { ($0.id, $0) }) { first, _ in first }
        var seen: Set<String> = []
        var changes: [ScheduleChange] = []
        for spec in wanted {
            guard seen.insert(spec.id).inserted else {
                changes.append(
                    ScheduleChange(
                        id: spec.id, kind: .refused("the id occurs twice"), baseRevision: 0, spec: spec, reply: nil))
                continue
            }
            changes.append(change(spec, existing[spec.id], origin))
        }
        return changes
            + current.filter { $0.spec.origin == origin && !seen.contains($0.id) }.map {
                ScheduleChange(
                    id: $0.id, kind: prune ? .remove : .orphaned, baseRevision: $0.definition.revision, spec: nil,
                    reply: nil)
            }
    }

    private static func change(
        _ wanted: ScheduleSpec, _ existing: ScheduleView?, _ origin: ScheduleOrigin
    ) -> ScheduleChange {
        var spec = wanted
        spec.origin = origin
        if let problem = spec.problems.first {
            return ScheduleChange(
                id: spec.id, kind: .refused(problem), baseRevision: existing?.definition.revision ?? 0, spec: spec,
                reply: nil)
        }
        guard let existing else {
            return ScheduleChange(id: spec.id, kind: .create, baseRevision: 0, spec: spec, reply: nil)
        }
        spec.pause = existing.spec.pause
        let differences = differences(from: existing.spec, to: spec)
        let kind: ScheduleChange.Kind =
            if spec.queue != existing.spec.queue || spec.key != existing.spec.key {
                .refused("queue and key of a schedule are fixed: give it a new id, or remove it first")
            } else if differences.isEmpty {
                .unchanged
            } else {
                .update(differences)
            }
        return ScheduleChange(
            id: spec.id, kind: kind, baseRevision: existing.definition.revision, spec: spec, reply: nil)
    }

    /// The members whose JSON differs, by name.
    public static func differences(from old: ScheduleSpec, to new: ScheduleSpec) -> [ScheduleFieldChange] {
        let (old, new) = (members(old), members(new))
        return Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted().map {
            ScheduleFieldChange(name: $0, from: old[$0], to: new[$0])
        }
    }

    private static func members(_ spec: ScheduleSpec) -> [String: String] {
        CanonicalJSON.members(CanonicalJSON.encode(spec)) ?? [:]
    }
}

extension TaskClient {
    /// Makes the schedules of one origin what `wanted` says; see ``ScheduleDiff``. Each change is sent with the revision
    /// that it was compared with, so a change by somebody else in between is a conflict and not overwritten.
    public func apply(
        _ wanted: [ScheduleSpec], origin: ScheduleOrigin, prune: Bool, isDryRun: Bool, author: String,
        reason: String = "", timeout: Int64 = commandTimeout
    ) async throws(ClientError) -> [ScheduleChange] {
        var changes = ScheduleDiff.changes(
            current: try await schedules(), wanted: wanted, origin: origin, prune: prune)
        guard !isDryRun else { return changes }
        var commands: [(index: Int, command: ScheduleCommand)] = []
        for (index, change) in changes.enumerated() {
            switch change.kind {
            case .create, .update:
                guard let spec = change.spec else { continue }
                commands.append(
                    (index, command(.put(spec), change.id, change.baseRevision, author, reason, origin: origin)))
            case .remove:
                commands.append(
                    (index, command(.remove, change.id, change.baseRevision, author, reason, origin: origin)))
            case .unchanged, .orphaned, .refused: break
            }
        }
        let replies = try await send(commands.map(\.command), timeout: timeout)
        for (item, reply) in zip(commands, replies) { changes[item.index].reply = reply }
        let conflicts = changes.indices.filter {
            if case .conflict = changes[$0].reply { true } else { false }
        }
        guard !conflicts.isEmpty else { return changes }
        let stored = try await schedules()
        for index in conflicts { changes[index].stored = stored.first { $0.id == changes[index].id } }
        return changes
    }
}
