import Foundation
import Synchronization
import TaskModel
import Testing

@testable import WorkerRole

extension HandlerIOTests {
    @Suite struct ExecHandlerTests {
        private let logs = LineCollector()

        private func run(
            _ script: String, payload: [UInt8] = [], change: (inout ExecConfiguration) -> Void = { _ in }
        ) async throws {
            var configuration = ExecConfiguration(["/bin/sh", "-c", script])
            change(&configuration)
            try await ExecHandler(configuration).run(Fixture.context(payload: payload, logs: logs))
        }

        @Test func thePayloadIsStandardInput() async throws {
            try await run("cat; echo done >&2", payload: Array("hello\nworld".utf8))
            #expect(logs.lines.filter { $0 != "done" } == ["hello", "world"])
            #expect(logs.lines.contains("done"))
        }

        @Test func theExitStatusDecidesAndStandardErrorIsTheMessage() async throws {
            #expect(
                await Fixture.failure { try await run("echo out; echo 'disk is full' >&2; exit 75") }
                    == .retry(code: "exit-75", "disk is full"))
            #expect(
                await Fixture.failure { try await run("echo 'no such customer' >&2; exit 65") }
                    == .fail(code: "exit-65", "no such customer"))
            #expect(
                await Fixture.failure { try await run("exit 4") { $0.exits = ExitMapping([4: .cancel]) } }
                    == .cancel("exit status 4"))
        }

        @Test func theMessageIsTheEndOfStandardError() async throws {
            let failure = await Fixture.failure {
                try await run("i=0; while [ $i -lt 1000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1")
            }
            guard case .retry("exit-1", let message) = failure else {
                Issue.record("unexpected \(String(describing: failure))")
                return
            }
            #expect(message.hasPrefix("…"))
            #expect(message.hasSuffix("line 998\nline 999"))
            #expect(message.utf8.count <= 1024)
        }

        @Test func aKillingSignalIsNamed() async throws {
            #expect(
                await Fixture.failure { try await run("kill -9 $$") }
                    == .retry(code: "signal-9", "the process was killed by signal 9"))
        }

        @Test func theChildHasDefaultSignalActions() async throws {
            let before = signal(SIGPIPE, SIG_IGN)
            defer { signal(SIGPIPE, before) }
            #expect(
                await Fixture.failure { try await run("kill -PIPE $$; exit 0") }
                    == .retry(code: "signal-13", "the process was killed by signal 13"))
        }

        @Test func theEnvironmentIsExactlyWhatWasAsked() async throws {
            let configuration = ExecConfiguration(
                ["/usr/bin/env"], environment: ["MODE": "fast"], inherit: ["NOBODY_SETS_THIS"])
            let context = Fixture.context(logs: logs)
            try await ExecHandler(configuration).run(context)
            let expected = try ExecEnvironment.variables(for: context, configuration: configuration, own: [:])
            #expect(logs.lines.sorted() == expected.map { "\($0.key)=\($0.value)" }.sorted())
        }

        @Test func theDirectoryIsEntered() async throws {
            let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: directory) }
            try await run("echo x > made-here") { $0.directory = directory.path }
            #expect(FileManager.default.fileExists(atPath: directory.appending(path: "made-here").path))
        }

        @Test func aLargePayloadGoesBothWays() async throws {
            let line = String(repeating: "0123456789", count: 100)
            let payload = Array((line + "\n").utf8)
            let count = 1100
            try await run("cat", payload: (0..<count).flatMap { _ in payload }) { $0.outputLimit = 4_000_000 }
            #expect(logs.lines.count == count)
            #expect(logs.lines.allSatisfy { $0 == line })
        }

        @Test func outputOverTheLimitIsReadToItsEnd() async throws {
            try await run("head -c 1000000 /dev/zero | tr '\\0' a; echo; exit 0") { $0.outputLimit = 10 }
            #expect(logs.lines == ["aaaaaaaaaa", "… 999991 bytes of output are not shown"])
        }

        @Test func aProgramThatDoesNotReadItsInputDoesNoHarm() async throws {
            let payload = [UInt8](repeating: 7, count: 1_000_000)
            try await run("exec 0<&-; exit 0", payload: payload)
            try await run("exit 0", payload: payload)
        }

        @Test func aDescendantThatHoldsTheOutputDoesNotHoldTheAttempt() async throws {
            try await run("sleep 1000 & echo pid $!") { $0.drain = 20 }
            let pid = try #require(pid_t(logs.lines.first?.dropFirst(4) ?? ""))
            #expect(kill(pid, 0) == 0, "what a program leaves running of its own accord is its affair")
            kill(pid, SIGKILL)
        }

        @Test func aProgramThatIsNotThereIsTriedAgain() async throws {
            func code(_ configuration: ExecConfiguration) async -> String? {
                let failure = await Fixture.failure { try await ExecHandler(configuration).run(Fixture.context()) }
                guard case .retry(let code, _) = failure else { return nil }
                return code
            }
            #expect(await code(ExecConfiguration(["no-such-program-anywhere"])) == "exec-not-found")
            #expect(await code(ExecConfiguration(["/no/such/program"])) == "exec-not-found")
            #expect(await code(ExecConfiguration(["/etc/passwd"])) == "exec-not-executable")
            #expect(await code(ExecConfiguration(["/bin/sh"], directory: "/no/such/folder")) == "exec-no-directory")
            #expect(
                await code(
                    ExecConfiguration(["sh"], environment: ["PATH": "/no/such/folder"], inherit: []))
                    == "exec-not-found", "the child's PATH counts, not the worker's")
        }

        @Test func cancellationAsksFirst() async throws {
            let task = Task {
                // A loop without children: a child just forked could miss the signal.
                try await run("trap 'echo bye; exit 0' TERM; echo ready; while :; do :; done")
            }
            _ = await logs.line(startingWith: "ready")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(logs.lines.contains("bye"))
        }

        @Test func anAttemptCancelledBeforeItsStartStartsNothing() async throws {
            let gate = LineCollector()
            let task = Task {
                _ = await gate.line(startingWith: "go")
                try await run("echo started")
            }
            task.cancel()
            gate.write(.init(level: .info, message: "go", fields: []))
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(logs.lines.isEmpty)
        }
    }

    @Suite struct CommandRunnerTests {
        private let logs = LineCollector()

        private func start(_ script: String, killAfter: Int64, drain: Int64) -> Task<ProcessResult, any Error> {
            let logs = logs
            let command = Command(
                arguments: ["/bin/sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], directory: nil, input: [],
                killAfter: killAfter, drain: drain, outputLimit: 1000)
            return Task {
                try await CommandRunner.run(command) { line in
                    logs.write(.init(level: .info, message: line.text, fields: []))
                }
            }
        }

        private static let forever: Int64 = 600_000

        @Test func aProcessThatIgnoresTheRequestIsKilledAndReaped() async throws {
            let task = start(
                "trap '' TERM; echo ready $$; while :; do sleep 1000; done", killAfter: 20, drain: Self.forever)
            let pid = try #require(pid_t(await logs.line(startingWith: "ready ").dropFirst(6)))
            task.cancel()
            let result = try await task.value
            #expect(result == ProcessResult(end: .signalled(SIGKILL), wasStopped: true, errorTail: ""))
            #expect(kill(pid, 0) == -1 && errno == ESRCH, "no zombie stays")
        }

        /// Its end shows that the descendant was killed: it holds the output, which is awaited for ten minutes.
        @Test func whatAStoppedProcessLeavesInItsGroupIsKilled() async throws {
            let task = start(
                "sh -c 'trap \"\" TERM; echo ready; exec sleep 1000' & wait", killAfter: 2000, drain: Self.forever)
            _ = await logs.line(startingWith: "ready")
            task.cancel()
            let result = try await task.value
            #expect(result == ProcessResult(end: .signalled(SIGTERM), wasStopped: true, errorTail: ""))
        }

        @Test func noDescriptorOfTheWorkerIsInherited() async throws {
            let opened = open("/dev/null", O_RDONLY)
            let high = fcntl(opened, F_DUPFD, 700)
            defer {
                close(opened)
                close(high)
            }
            try #require(high >= 700)
            let script = "if [ -e /dev/fd/\(high) ]; then echo leaked; else echo clean; fi"
            _ = try await start(script, killAfter: 0, drain: Self.forever).value
            #expect(logs.lines == ["clean"])
        }

        @Test(TestRun.countsDescriptors) func manyAtOnceLeaveNoDescriptorAndNoProcess() async throws {
            let before = try Self.pipes()
            let tasks = (0..<50).map { start("echo $$; exit \($0 % 3)", killAfter: 0, drain: Self.forever) }
            for (index, task) in tasks.enumerated() {
                #expect(try await task.value.end == .exited(Int32(index % 3)))
            }
            #expect(try Self.pipes() == before)
            #expect(logs.lines.count == 50)
            for line in logs.lines { #expect(kill(try #require(pid_t(line)), 0) == -1) }
        }

        @Test(TestRun.countsDescriptors) func manyFailedStartsLeaveNoDescriptor() async throws {
            let before = try Self.pipes()
            for _ in 0..<20 {
                let command = Command(
                    arguments: ["/no/such/program"], environment: [:], directory: nil, input: [], killAfter: 0,
                    drain: 0, outputLimit: 0)
                await #expect(throws: SpawnError.notFound("/no/such/program")) {
                    _ = try await CommandRunner.run(command) { _ in }
                }
            }
            #expect(try Self.pipes() == before)
        }

        /// The open pipes of this process. Other descriptors come and go with other tests.
        private static func pipes() throws -> Int {
            #if os(Linux)
                let manager = FileManager.default
                return try manager.contentsOfDirectory(atPath: "/proc/self/fd").count {
                    (try? manager.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix("pipe:") == true
                }
            #else
                return try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count
            #endif
        }
    }
}

/// What scripts/test says of the run.
enum TestRun {
    /// For tests that count what the whole process has open: scripts/test runs them once more, alone.
    static var countsDescriptors: ConditionTrait {
        .enabled(
            if: ProcessInfo.processInfo.environment["TIDEMILL_TEST_ALONE"] != nil,
            "counts the descriptors of the process: scripts/test runs it alone")
    }
}
