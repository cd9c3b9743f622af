internal import TaskLog
import TaskTestKit
import Testing

/// The suite is only worth something if it fails: each defect must be caught by a case, and by saying what is wrong.
@Suite struct ConformanceTests {
    @Test(arguments: Defect.allCases)
    func catches(_ defect: Defect) async throws {
        var complaints: [String] = []
        for promise in LogConformance.cases where !promise.name.contains("20,000") {
            var engine = makeMemoryEngine(prefix: promise.slug)
            let makeLog = engine.makeLog
            engine.makeLog = {
                guard let log = try await makeLog() as? MemoryTaskLog else { throw ConformanceFailure("a foreign log") }
                return BrokenLog(log: log, defect: defect)
            }
            engine.vanish = { _ in throw ConformanceFailure("not tried") }
            do {
                try await withTimeout(seconds: 10, promise.name) { [engine] in try await promise.run(engine) }
            } catch let failure as ConformanceFailure where failure.message != "not tried" {
                complaints.append("\(promise.name): \(failure)")
                break
            } catch is ConformanceFailure {
                continue
            }
        }
        #expect(!complaints.isEmpty, "no case notices \(defect.rawValue)")
    }

    @Test func namesOfCasesAreUnique() {
        #expect(Set(LogConformance.cases.map(\.slug)).count == LogConformance.cases.count)
    }

    @Test func anUnmetNeedIsSkippedAndNotRun() async throws {
        let torndown = Observed(false)
        var engine = makeMemoryEngine(prefix: "skip")
        engine.name = "memory-without-trim"
        engine.capabilities.remove(.trim)
        engine.missing[.trim] = "taken away by this test"
        engine.makeLog = { throw ConformanceFailure("must not be opened") }
        engine.tearDown = { torndown.update { $0 = true } }
        for promise in LogConformance.cases where promise.requires.contains(.trim) {
            try await LogConformance.run(promise, on: engine)
        }
        #expect(torndown.value)
    }

    @Test func aCaseThatHangsIsNamed() async throws {
        var engine = makeMemoryEngine(prefix: "hang")
        engine.name = "memory-hanging"
        engine.patienceSeconds = 0
        let never = Observed(false)
        let hanging = ConformanceCase("never ends") { _ in _ = try? await never.wait { $0 } }
        await #expect(throws: TimedOut.self) { try await LogConformance.run(hanging, on: engine) }
    }
}
