import ServiceRuntime
import TaskLog
import TaskTestKit
import Testing

@testable import WorkerRole

@Suite struct AppendPipelineTests {
    private let batch = AppendBatch([
        PendingAppend(purpose: .note, record: LogAppend(topic: "t", partition: 0, key: nil, value: nil))
    ])

    @Test func whatWasSubmittedIsThroughBeforeItEnds() async throws {
        let delivered = Observed(0)
        let pipeline = AppendPipeline(time: ManualTimeSource()) { records in
            records.map { _ in .failure(LogError(.closed, "closed")) }
        } deliver: { _, results in
            delivered.update { $0 += results.count }
        }
        pipeline.submit(batch)
        pipeline.submit(batch)
        pipeline.close()
        try await withTimeout(seconds: 20, "the pipeline's end") { await pipeline.run() }
        #expect(delivered.value == 2)
    }

    /// A stop whose time is over does not wait for a log that takes half a minute to say that it does not answer.
    @Test func aCancelledOneWaitsForNoAnswer() async throws {
        let isAsked = OneShot()
        let answers = OneShot()
        let pipeline = AppendPipeline(time: ManualTimeSource()) { records in
            isAsked.fire()
            // In a task of its own: a log does not hear of a cancellation either.
            _ = await Task { await answers.wait() }.value
            return records.map { _ in .failure(LogError(.closed, "closed")) }
        } deliver: { _, _ in
            Issue.record("nobody listens any more")
        }
        pipeline.submit(batch)
        let run = Task { await pipeline.run() }
        await isAsked.wait()
        pipeline.submit(batch)
        pipeline.close()
        run.cancel()
        try await withTimeout(seconds: 20, "the pipeline's end") { await run.value }
        answers.fire()
    }
}
