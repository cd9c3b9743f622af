import Foundation
import TaskClient
import TaskModel
import TaskTelemetry
import Tidemill

extension Fault {
    /// Two operators send the same letter back at the same moment: it runs once.
    static let twoReplaysAtOnce = Fault(letter: "f", title: "one dead letter replayed by two clients at once") {
        bench in
        try await bench.fleet.start(.worker, "worker")
        var request = try Work(index: 0, fate: .failsAlways).request()
        request.retryPolicy = RetryPolicy.none
        let accepted = try await bench.publish([request])
        try await bench.watch.wait(for: "the dead letter") { $0.letters.count == 1 }
        guard FileManager.default.createFile(atPath: bench.place.fixMark, contents: nil) else {
            throw SliceFailure("\(bench.place.fixMark) cannot be written")
        }
        let other = try await Installation.open(bench.place.configuration(id: "other"), logger: Logger())
        async let first = replayAll(bench.client)
        async let second = replayAll(other.client)
        let replayed = try await first + second
        await other.log.close()
        try await bench.watch.waitForEnds(1, replay: 1)
        // Another event behind it in the same partition: when it has ended, the second copy has been judged as well.
        let emitted = bench.watch.read { $0.emissions.count { $0.coordinate.replay == 1 } }
        let open = try await bench.client.deadLetters().matching
        return try await bench.conclude(accepted) { report in
            [
                Check("replays by the two clients", replayed, atLeast: 1),
                Check(note: "copies of the event in its queue", emitted),
                Check("completed", report.completed, equals: 1),
                Check("handler runs: one that failed, one that did not", report.executions, equals: 2),
                Check("open dead letters", open, equals: 0),
            ]
        }
    }

    private static func replayAll(_ client: TaskClient) async throws -> Int {
        try await client.replay(
            .matching(DeadLetterFilter()), order: DeadLetterOrder(author: "slice", reason: "two at once")
        ).done
    }

    /// Delayed events are in the log, not in the scheduler.
    static let schedulerKilledWhileEventsWait = Fault(
        letter: "g", title: "the scheduler is killed while delayed events wait"
    ) { bench in
        let scheduler = try await bench.fleet.start(.scheduler, "scheduler")
        try await bench.fleet.start(.worker, "worker")
        let requests = try (0..<200).map { index in
            try Work(index: index).request(start: .after(milliseconds: 1000 + Int64(index) * 30))
        }
        let accepted = try await bench.publish(requests)
        try await bench.watch.wait(for: "50 delayed events to be emitted") { $0.emissions.count >= 50 }
        try await bench.fleet.kill(scheduler)
        let before = bench.watch.read(\.emissions.count)
        try await bench.fleet.start(.scheduler, "scheduler")
        try await bench.watch.waitForEnds(accepted.count)
        return try await bench.conclude(accepted) { report in
            [
                Check("completed", report.completed, equals: accepted.count),
                Check("emitted before the kill", before, atLeast: 50),
                Check("waiting when it was killed", accepted.count - before, atLeast: 1),
                Check("repeated", report.repeated, equals: 0),
            ]
        }
    }
}
