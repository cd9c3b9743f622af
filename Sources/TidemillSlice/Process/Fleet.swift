import Foundation
import TidemillHarness

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The processes of a run, and what was done to them.
actor Fleet {
    private let place: RunPlace
    private let watch: LogWatch
    private var children: [ChildProcess] = []
    private var starts: [String: Int] = [:]
    private(set) var interventions: [Int32: Intervention] = [:]

    init(place: RunPlace, watch: LogWatch) {
        self.place = place
        self.watch = watch
    }

    /// Starts a worker or a scheduler; the same name again is a restart.
    @discardableResult
    func start(_ command: SliceArguments.Command, _ name: String) async throws -> ChildProcess {
        starts[name, default: 0] += 1
        let log = "\(place.logFolder)/\(name)-\(starts[name] ?? 1).log"
        let child = try ChildProcess(
            [command.rawValue, "--id", name, "--place", try place.json], name: name, log: log,
            onLine: { [watch] in watch.heard($0) },
            onEnd: { [watch] child in
                if !child.isExpectedToEnd { watch.endedUnexpectedly(child) }
            })
        children.append(child)
        return child
    }

    /// SIGKILL, and waits until the process is gone.
    func kill(_ child: ChildProcess) async throws {
        interventions[child.processID] = .killed
        child.signal(SIGKILL)
        _ = try await child.waitForEnd(milliseconds: 30_000)
    }

    /// SIGTERM, and waits until the process has ended in good order.
    func terminate(_ child: ChildProcess) async throws {
        interventions[child.processID] = .terminated
        child.signal(SIGTERM)
        let end = try await child.waitForEnd(milliseconds: 45_000)
        guard end == .exit(0) else { throw SliceFailure("\(child.name) ended with \(end) after SIGTERM") }
    }

    /// SIGTERM, and waits until the process has ended. Returns whether it said that it could not end in good order; any
    /// other end is heard of as an unexpected one.
    func terminateOrKill(_ child: ChildProcess) async -> Bool {
        child.signal(SIGTERM)
        let end = try? await child.waitForEnd(milliseconds: 60_000)
        guard end != .exit(0) else { return false }
        // A signal that comes before the process listens for it ends it with nothing begun.
        if end == .signal(SIGTERM), child.hasSaidNothing { return false }
        if end == .exit(RoleProcess.gaveUp) { return true }
        watch.endedUnexpectedly(child)
        child.signal(SIGKILL)
        _ = try? await child.waitForEnd(milliseconds: 30_000)
        return false
    }

    func suspend(_ child: ChildProcess) async {
        interventions[child.processID] = .suspended
        child.signal(SIGSTOP, expectEnd: false)
    }

    func resume(_ child: ChildProcess) async { child.signal(SIGCONT, expectEnd: false) }

    /// It is known that this process ends itself without notice.
    func expectLoss(of child: ChildProcess) async {
        interventions[child.processID] = .killed
        child.expectEnd()
    }

    /// SIGTERM for all that still run. Returns those that did not end with status 0.
    func stopAll() async -> [String] {
        let running = children.filter { $0.end == nil }
        for child in running { child.signal(SIGTERM) }
        var bad: [String] = []
        for child in running {
            let end = try? await child.waitForEnd(milliseconds: 45_000)
            if end != .exit(0) { bad.append("\(child.name): \(end.map { "\($0)" } ?? "still running")") }
        }
        killAll()
        return bad
    }

    /// Nothing outlives the run.
    func killAll() {
        for child in children where child.end == nil { child.signal(SIGKILL) }
    }
}
