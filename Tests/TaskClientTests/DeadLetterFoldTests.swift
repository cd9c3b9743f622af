import TaskModel
import TaskTestKit
import Testing

@testable import TaskClient

struct DeadLetterFoldTests {
    /// A mark follows its letter, so what somebody has dealt with had taken the room of older letters: no replay by a filter
    /// would ever have come to those.
    @Test func whatIsDealtWithTakesNoRoom() async throws {
        let world = try await World()
        for id in 1...60 {
            try await world.bury(sampleEvent("\(id)"))
            world.time.advance(milliseconds: 1)
        }
        let open = 5
        let newest = try await world.client.deadLetters(limit: 60).letters.prefix(60 - open).map(\.key)
        let order = DeadLetterOrder(author: "ann", reason: "known")
        let report = try await world.client.discard(.letters(newest), order: order)
        #expect(report.done == 60 - open)
        let partitions = try await world.client.deadLetterFolds(DeadLetterFilter()).count
        let folds = try await world.client.deadLetterFolds(DeadLetterFilter(), capacity: open * partitions)
        #expect(folds.flatMap(\.matching).count == open)
        #expect(folds.map(\.isTruncated) == folds.map { _ in false })
        // All are wanted: then the newest of all are kept, and it says that there were more.
        var all = DeadLetterFilter()
        all.states = .all
        let kept = try await world.client.deadLetterFolds(all, capacity: open * partitions)
        #expect(kept.flatMap(\.matching).count == open * partitions)
        #expect(kept.map(\.isTruncated) == kept.map { _ in true })
    }
}
