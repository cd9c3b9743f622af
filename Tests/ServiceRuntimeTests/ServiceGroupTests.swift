import Synchronization
import TaskModel
import TaskTelemetry
import Testing

@testable import ServiceRuntime

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What happened, in order, and a way to wait for it.
private final class Journal: Sendable {
    private let entries = Mutex<[String]>([])
    private let (stream, continuation) = AsyncStream.makeStream(of: String.self)

    func add(_ entry: String) {
        entries.withLock { $0.append(entry) }
        continuation.yield(entry)
    }

    var all: [String] { entries.withLock { $0 } }

    /// Returns when each of `expected` has happened since the last call.
    func wait(for expected: String...) async {
        var missing = Set(expected)
        guard !missing.isEmpty else { return }
        for await entry in stream {
            missing.remove(entry)
            if missing.isEmpty { return }
        }
    }
}

/// A service that does what a test says.
private final class ScriptedService: Service {
    enum OnStop: Sendable { case ends, goesOn, throwsError }
    struct Broken: Error, CustomStringConvertible { var description: String { "broken" } }

    let serviceName: String
    private let journal: Journal
    private let onStop: OnStop
    private let (commands, command) = AsyncStream.makeStream(of: Result<Void, any Error>.self)

    init(_ name: String, _ journal: Journal, onStop: OnStop = .ends) {
        serviceName = name
        self.journal = journal
        self.onStop = onStop
    }

    func run() async throws {
        journal.add("\(serviceName) runs")
        defer { journal.add("\(serviceName) ended") }
        for await command in commands { return try command.get() }
        try Task.checkCancellation()
    }

    func stop() async {
        journal.add("\(serviceName) stop")
        switch onStop {
        case .ends: end()
        case .goesOn: break
        case .throwsError: fail()
        }
    }

    func end() { command.yield(.success(())) }
    func fail() { command.yield(.failure(Broken())) }
}

/// A clock whose one sleeper wakes when the test says so.
private final class HeldTime: TimeSource {
    private let (wakes, wake) = AsyncStream.makeStream(of: Void.self)
    let journal: Journal

    init(_ journal: Journal) { self.journal = journal }

    func now() -> Timestamp { .epoch }
    func uptime() -> Int64 { 0 }
    func sleep(milliseconds: Int64) async throws {
        journal.add("grace \(milliseconds)")
        for await _ in wakes { return }
        try Task.checkCancellation()
    }
    func elapse() { wake.yield(()) }
}

private struct World {
    let journal = Journal()
    let time: HeldTime
    let signals: AsyncStream<TerminationSignal>
    let send: AsyncStream<TerminationSignal>.Continuation

    init() {
        time = HeldTime(journal)
        (signals, send) = AsyncStream.makeStream()
    }

    func service(_ name: String, onStop: ScriptedService.OnStop = .ends) -> ScriptedService {
        ScriptedService(name, journal, onStop: onStop)
    }

    func group(_ services: [ScriptedService]) -> ServiceGroup {
        ServiceGroup(services: services, grace: .seconds(30), signals: .stream(signals), time: time)
    }
}

@Suite(.serialized) struct ServiceGroupTests {
    private let world = World()

    @Test func aSignalStopsTheLastFirst() async throws {
        let services = [world.service("log"), world.service("worker"), world.service("server")]
        let group = world.group(services)
        async let end = group.run()
        await world.journal.wait(for: "log runs", "worker runs", "server runs")
        world.send.yield(.terminate)
        #expect(try await end == .stopped(.signal(.terminate)))
        #expect(world.journal.all.filter { $0.hasSuffix("stop") } == ["server stop", "worker stop", "log stop"])
        #expect(world.journal.all.filter { $0.hasSuffix("ended") }.count == 3)
    }

    @Test func aSecondSignalCancels() async throws {
        let group = world.group([world.service("quick"), world.service("stubborn", onStop: .goesOn)])
        async let end = group.run()
        await world.journal.wait(for: "quick runs", "stubborn runs")
        world.send.yield(.interrupt)
        await world.journal.wait(for: "quick ended", "grace 30000")
        world.send.yield(.interrupt)
        #expect(
            try await end
                == .cancelled(.signal(.interrupt), because: .secondSignal, running: ["stubborn"]))
        #expect(world.journal.all.contains("stubborn ended"))
    }

    @Test func theGracePeriodEnds() async throws {
        let group = world.group([world.service("stubborn", onStop: .goesOn)])
        async let end = group.run()
        await world.journal.wait(for: "stubborn runs")
        group.stop()
        await world.journal.wait(for: "grace 30000")
        world.time.elapse()
        #expect(try await end == .cancelled(.request, because: .graceEnded, running: ["stubborn"]))
    }

    @Test func requestsDoNotPress() async throws {
        let stubborn = world.service("stubborn", onStop: .goesOn)
        let group = world.group([stubborn])
        async let end = group.run()
        await world.journal.wait(for: "stubborn runs")
        group.stop()
        await world.journal.wait(for: "stubborn stop")
        group.stop()
        stubborn.end()
        #expect(try await end == .stopped(.request))
    }

    @Test func aStopBeforeTheStartCounts() async throws {
        let group = world.group([world.service("a")])
        group.stop()
        #expect(try await group.run() == .stopped(.request))
    }

    @Test func aFailureStopsTheOthersAndNamesTheService() async throws {
        let services = [world.service("log"), world.service("worker")]
        let group = world.group(services)
        async let end = group.run()
        await world.journal.wait(for: "log runs", "worker runs")
        services[1].fail()
        do {
            _ = try await end
            Issue.record("the failure was lost")
        } catch let failure as ServiceFailure {
            #expect(failure.serviceName == "worker")
            #expect(failure.description == "worker failed: broken")
        }
        #expect(world.journal.all.contains("log stop"))
        #expect(world.journal.all.contains("log ended"))
    }

    @Test func aFailureWhileStoppingIsAFailure() async throws {
        let group = world.group([world.service("a"), world.service("b", onStop: .throwsError)])
        async let end = group.run()
        await world.journal.wait(for: "a runs", "b runs")
        world.send.yield(.terminate)
        do {
            _ = try await end
            Issue.record("the failure was lost")
        } catch let failure as ServiceFailure {
            #expect(failure.serviceName == "b")
        }
    }

    @Test func aServiceThatReturnsLeavesTheOthersRunning() async throws {
        let services = [world.service("a"), world.service("b")]
        let group = world.group(services)
        async let end = group.run()
        await world.journal.wait(for: "a runs", "b runs")
        services[0].end()
        await world.journal.wait(for: "a ended")
        #expect(!world.journal.all.contains("b stop"))
        services[1].end()
        #expect(try await end == .finished)
    }

    @Test func cancellingTheGroupCancelsItsServices() async throws {
        let group = world.group([world.service("a", onStop: .goesOn)])
        let task = Task { try await group.run() }
        await world.journal.wait(for: "a runs")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(world.journal.all.contains("a ended"))
    }

    @Test func anEmptyGroupIsFinished() async throws {
        #expect(try await world.group([]).run() == .finished)
    }

    @Test func realSignalsAreCaught() async throws {
        let group = ServiceGroup(
            services: [world.service("a")], grace: .seconds(30), signals: .process, time: world.time)
        async let end = group.run()
        await world.journal.wait(for: "a runs")
        #expect(TerminationSignals.install() == nil)
        kill(getpid(), SIGTERM)
        #expect(try await end == .stopped(.signal(.terminate)))
        // The signals are free for the next one, and each hears all of its own, however soon the next one comes.
        var heard: [[TerminationSignal]] = []
        for _ in 0..<100 {
            let next = try #require(TerminationSignals.install())
            writeSignal(SIGTERM)
            next.restore()
            heard.append(await next.stream.reduce(into: []) { $0.append($1) })
        }
        #expect(heard == Array(repeating: [.terminate], count: 100))
    }
}

struct ServiceGroupMachineTests {
    private func names(_ actions: [ServiceGroupMachine.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .log(_, let message, let service): "log \(message)" + (service.map { " (\($0))" } ?? "")
            case .stopServices: "stop"
            case .cancelServices: "cancel"
            case .end(.success(let end)): "end \(end)"
            case .end(.failure(let error)): "throw \(error)"
            }
        }
    }

    @Test func theFirstFailureCounts() {
        struct Fault: Error, CustomStringConvertible { var description: String }
        var machine = ServiceGroupMachine(serviceNames: ["a", "b"])
        #expect(
            names(machine.handle(.ended(1, .failed(Fault(description: "x")))))
                == ["log service failed: x (b)", "stop"])
        #expect(names(machine.handle(.signal(.terminate))) == ["log cancelling: a second signal came (a)", "cancel"])
        #expect(
            names(machine.handle(.ended(0, .cancelled)))
                == ["log service was cancelled (a)", "throw b failed: x"])
    }

    @Test func aSignalAfterTheCancellationChangesNothing() {
        var machine = ServiceGroupMachine(serviceNames: ["a"])
        _ = machine.handle(.signal(.terminate))
        _ = machine.handle(.graceEnded)
        #expect(machine.handle(.signal(.interrupt)).isEmpty)
        #expect(machine.handle(.taskCancelled).isEmpty)
    }

    @Test func theGracePeriodMeansNothingUnlessStopping() {
        var machine = ServiceGroupMachine(serviceNames: ["a"])
        #expect(machine.handle(.graceEnded).isEmpty)
    }
}
