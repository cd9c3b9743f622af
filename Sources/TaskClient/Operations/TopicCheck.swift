package import TaskLog

/// Something about a topic that is not as the plan has it.
package struct TopicDifference: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case missing
        case partitions(is: Int32, planned: Int32)
        /// Fewer or more replicas than planned.
        case replication(is: Int16, planned: Int16)
        case setting(name: String, is: String, planned: String)
    }

    /// How much it matters.
    package enum Weight: Int, Hashable, Sendable, Comparable {
        /// It works; it is not what was asked for.
        case note
        /// It works until something else goes wrong.
        case warning
        /// Tidemill must not run so.
        case error

        package static func < (left: Weight, right: Weight) -> Bool { left.rawValue < right.rawValue }
    }

    package var topic: String
    package var kind: Kind
    package var weight: Weight
    /// What to do, as a sentence.
    package var advice: String

    package var summary: String {
        switch kind {
        case .missing: "does not exist"
        case .partitions(let count, let planned): "has \(count) partitions, planned are \(planned)"
        case .replication(let count, let planned): "has \(count) replicas, planned are \(planned)"
        case .setting(let name, let value, let planned): "\(name) is \(value), planned is \(planned)"
        }
    }
}

/// Compares what topics are with what they should be. Settings that an engine does not report are not judged.
package enum TopicCheck {
    package static func differences(
        plan: TopicPlan, found: [TopicDescription]
    ) -> [TopicDifference] {
        let found = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
        let fixed = Set(plan.queues.flatMap { [plan.names.due($0.name), plan.names.ledger($0.name)] })
        return plan.specs.flatMap { spec in
            guard let topic = found[spec.name] else {
                return [
                    TopicDifference(
                        topic: spec.name, kind: .missing, weight: .error,
                        advice: "Create it with `tidemill topics create`.")
                ]
            }
            return partitionDifference(spec, topic, isQueue: fixed.contains(spec.name))
                + replicationDifference(spec, topic) + settingDifferences(spec, topic)
        }
    }

    private static func partitionDifference(
        _ spec: TopicSpec, _ topic: TopicDescription, isQueue: Bool
    ) -> [TopicDifference] {
        guard topic.partitions != spec.partitions else { return [] }
        let advice =
            isQueue
            ? "Set the queue's `partitions` to \(topic.partitions) in the configuration. The count of a queue never "
                + "changes in place: its lanes and identities would move. For another count, make a new queue."
            : "Set the control partitions to \(topic.partitions) in the configuration, or use another prefix."
        return [
            TopicDifference(
                topic: spec.name, kind: .partitions(is: topic.partitions, planned: spec.partitions), weight: .error,
                advice: advice)
        ]
    }

    private static func replicationDifference(_ spec: TopicSpec, _ topic: TopicDescription) -> [TopicDifference] {
        // An embedded log has one copy and says so without these settings; there is nothing to compare.
        guard topic.replication != spec.replication, topic.settings["min.insync.replicas"] != nil else { return [] }
        return [
            TopicDifference(
                topic: spec.name, kind: .replication(is: topic.replication, planned: spec.replication),
                weight: topic.replication < spec.replication ? .warning : .note,
                advice: "Reassign its partitions with `kafka-reassign-partitions`, or plan \(topic.replication).")
        ]
    }

    private static func settingDifferences(_ spec: TopicSpec, _ topic: TopicDescription) -> [TopicDifference] {
        planned(spec).sorted { $0.key < $1.key }.compactMap { name, planned in
            guard let value = topic.settings[name], value != planned, !isHarmless(name, value, planned) else {
                return nil
            }
            return TopicDifference(
                topic: spec.name, kind: .setting(name: name, is: value, planned: planned),
                weight: weight(of: name, value: value, planned: planned),
                advice: "kafka-configs --alter --entity-type topics --entity-name \(spec.name) "
                    + "--add-config \(name)=\(planned)")
        }
    }

    private static func planned(_ spec: TopicSpec) -> [String: String] {
        var settings = spec.settings
        settings["max.message.bytes"] = String(spec.maximumRecordBytes)
        settings["min.insync.replicas"] = String(spec.minInSyncReplicas)
        settings["message.timestamp.type"] = "LogAppendTime"
        settings["unclean.leader.election.enable"] = "false"
        switch spec.cleanup {
        case .never:
            settings["cleanup.policy"] = "delete"
            settings["retention.ms"] = "-1"
        case .delete(let retention):
            settings["cleanup.policy"] = "delete"
            settings["retention.ms"] = String(retention)
        case .compact: settings["cleanup.policy"] = "compact"
        }
        return settings
    }

    /// More room than planned does no harm.
    private static func isHarmless(_ name: String, _ value: String, _ planned: String) -> Bool {
        guard name == "max.message.bytes", let value = Int(value), let planned = Int(planned) else { return false }
        return value > planned
    }

    /// Losing records that are still needed is an error; the rest is a warning.
    private static func weight(of name: String, value: String, planned: String) -> TopicDifference.Weight {
        switch name {
        case "cleanup.policy", "message.timestamp.type": return .error
        case "retention.ms":
            guard let value = Int64(value), let planned = Int64(planned) else { return .error }
            if value == -1 { return .note }
            return planned == -1 || value < planned ? .error : .note
        case "unclean.leader.election.enable", "min.insync.replicas", "max.message.bytes": return .warning
        default: return .note
        }
    }
}
