internal import TaskLog

extension TaskClient {
    /// Creates the topics of the plan that are missing, changes none, and returns what still differs.
    package func ensureTopics() async throws(ClientError) -> (created: [String], differences: [TopicDifference]) {
        let specs = plan.specs
        do {
            let before = Set(try await log.describe(topics: specs.map(\.name)).map(\.name))
            _ = try await log.ensure(topics: specs)
            let created = specs.map(\.name).filter { !before.contains($0) }
            return (created, try await checkTopics())
        } catch {
            throw ClientError(wrapping: error, while: "creating topics")
        }
    }

    /// Where the topics differ from the plan; empty when all is as planned.
    package func checkTopics() async throws(ClientError) -> [TopicDifference] {
        do {
            return TopicCheck.differences(
                plan: plan, found: try await log.describe(topics: plan.specs.map(\.name)))
        } catch {
            throw ClientError(wrapping: error, while: "asking the log for its topics")
        }
    }
}
