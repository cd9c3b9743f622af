import TaskClient
import TaskLog

/// `tidemill topics create`
enum TopicsCreateCommand: ClientCommand {
    static let path = ["topics", "create"]

    static let spec = CommandSpec(
        "create", "Create the topics that are missing",
        discussion: """
            Existing topics are not changed; where they differ from the plan is said. Fewer replicas than planned are for \
            trying things out: one lost broker can then lose acknowledged events.
            """,
        options: [
            .value("replication", .integer(1...Int(Int16.max)), "Replicas, instead of the configuration's"),
            .value("min-in-sync", .integer(1...Int(Int16.max)), "Replicas before an append counts"),
            OutputFormat.option,
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        var plan = context.plan
        if let replication = try arguments.integer("replication") {
            plan.replication = Int16(replication)
            plan.minInSyncReplicas = min(plan.minInSyncReplicas, replication)
        }
        plan.minInSyncReplicas = try arguments.integer("min-in-sync") ?? plan.minInSyncReplicas
        guard plan.minInSyncReplicas <= Int(plan.replication) else {
            throw arguments.usage("--min-in-sync is more than the replicas that there are")
        }
        let client = TaskClient(log: context.client.log, plan: plan, time: context.time, source: context.client.source)
        let (created, differences) = try await client.ensureTopics()
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(Result(created: created, differences: differences))
        } else {
            for topic in created { context.output.write("created \(topic)\n") }
            if created.isEmpty { context.output.write("all \(plan.specs.count) topics exist\n") }
            context.output.writeTable(TopicsCheckCommand.table(differences))
        }
        return TopicsCheckCommand.status(differences)
    }

    private struct Result: Encodable {
        var created: [String]
        var differences: [TopicDifference]
    }
}

/// `tidemill topics check`
enum TopicsCheckCommand: ClientCommand {
    static let path = ["topics", "check"]

    static let spec = CommandSpec(
        "check", "Compare the topics with the plan",
        discussion: "Ends with 1 when Tidemill must not run with what there is.", options: [OutputFormat.option])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let differences = try await context.client.checkTopics()
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(differences)
        } else if differences.isEmpty {
            context.output.write("all \(context.plan.specs.count) topics are as planned\n")
        } else {
            context.output.writeTable(table(differences))
        }
        return status(differences)
    }

    static func table(_ differences: [TopicDifference]) -> TableFormatter {
        var table = TableFormatter(columns: [
            .init("TOPIC"), .init("WEIGHT"), .init("DIFFERENCE"), .init("WHAT TO DO", isFlexible: true),
        ])
        for difference in differences {
            let style: Terminal.Style? =
                switch difference.weight {
                case .note: nil
                case .warning: .warning
                case .error: .bad
                }
            table.add([
                .init(difference.topic), .init("\(difference.weight)", style), .init(difference.summary),
                .init(difference.advice),
            ])
        }
        return table
    }

    static func status(_ differences: [TopicDifference]) -> Int32 {
        differences.contains { $0.weight == .error } ? ExitStatus.failure : ExitStatus.success
    }
}
