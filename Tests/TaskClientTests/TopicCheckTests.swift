import TaskClient
import TaskLog
import TaskModel
import Testing

struct TopicCheckTests {
    private let plan = TopicPlan(queues: [QueuePlan(name: "default", partitions: 4)])

    /// The topics as Kafka describes them when all is as planned.
    private var planned: [TopicDescription] {
        plan.specs.map { spec in
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
            return TopicDescription(
                name: spec.name, partitions: spec.partitions, replication: spec.replication, settings: settings)
        }
    }

    private func differences(_ change: (inout TopicDescription) -> Void) -> [TopicDifference] {
        var found = planned
        change(&found[0])
        return TopicCheck.differences(plan: plan, found: found)
    }

    @Test func asPlannedMeansNoDifference() {
        #expect(TopicCheck.differences(plan: plan, found: planned).isEmpty)
    }

    @Test func whatIsMissingIsAnError() {
        let missing = TopicCheck.differences(plan: plan, found: Array(planned.dropLast()))
        #expect(missing.map(\.kind) == [.missing])
        #expect(missing.first?.weight == .error)
    }

    @Test func aPartitionCountOfAQueueIsNeverChangedInPlace() {
        let found = differences { $0.partitions = 6 }
        #expect(found.map(\.kind) == [.partitions(is: 6, planned: 4)])
        #expect(found.first?.advice.contains("`partitions` to 6") == true)
    }

    @Test(arguments: [
        ("cleanup.policy", "compact", TopicDifference.Weight.error), ("retention.ms", "3600000", .error),
        ("message.timestamp.type", "CreateTime", .error), ("min.insync.replicas", "1", .warning),
        ("max.message.bytes", "1000", .warning),
    ])
    func settingsAreWeighed(name: String, value: String, weight: TopicDifference.Weight) {
        let found = differences { $0.settings[name] = value }
        #expect(found.count == 1)
        #expect(found.first?.weight == weight)
        #expect(found.first?.summary.contains("\(name) is \(value)") == true)
    }

    @Test func moreRoomAndWhatIsNotReportedAreFine() {
        #expect(differences { $0.settings["max.message.bytes"] = "99999999" }.isEmpty)
        #expect(differences { $0.settings = [:] }.isEmpty)
        #expect(
            differences {
                $0.settings = [:]
                $0.replication = 1
            }.isEmpty)
    }

    @Test func fewerReplicasAreAWarning() {
        #expect(differences { $0.replication = 1 }.map(\.weight) == [.warning])
    }
}
