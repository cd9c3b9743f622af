import ServiceRuntime
import TaskModel
import TidemillHarness

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Injects a fault every 2 to 10 s, of a kind and length that the seed draws, into whom no other fault has. Where that kind
/// may not begin now, it is the next one that may.
struct Injector: Sendable {
    let options: ChaosOptions
    let fleet: Fleet
    let roster: Roster
    let log: FaultLog
    let time = SystemTimeSource()

    /// Faults at once, so that there is something left to watch.
    static let mostAtOnce = 3
    /// At most one of these runs: they concern all.
    static let whole: Set<FaultWindow.Kind> = [.rolling, .scale, .brokerKill, .brokerStop, .full]

    /// Until `end` (uptime); returns when the last fault is over.
    func run(until end: Int64) async throws {
        var draw = SplitMix64(seed: options.seed)
        try await withThrowingTaskGroup(of: Void.self) { group in
            while time.uptime() < end {
                try await time.sleep(milliseconds: 2000 + Int64(draw.nextUnit() * 8000))
                let first = Int(draw.nextUnit() * Double(options.faults.count))
                let seed = draw.next()
                guard time.uptime() < end, let kind = await firstThatMayBegin(options.faults.rotated(by: first)) else {
                    continue
                }
                group.addTask { try await inject(kind, SplitMix64(seed: seed)) }
            }
            try await group.waitForAll()
        }
    }

    private func firstThatMayBegin(_ kinds: [FaultWindow.Kind]) async -> FaultWindow.Kind? {
        let underWay = await log.underWay
        guard underWay.count < Self.mostAtOnce else { return nil }
        let isWholeBusy = underWay.contains { line in Self.whole.contains { line.hasPrefix($0.rawValue + " ") } }
        return kinds.first { !isWholeBusy || !Self.whole.contains($0) }
    }

    private func inject(_ kind: FaultWindow.Kind, _ generator: SplitMix64) async throws {
        var draw = generator
        await log.begin(kind, "")
        switch kind {
        case .kill: try await kill(&draw)
        case .stop: try await stop(&draw)
        case .rolling: try await rollOut()
        case .scale: try await scale(&draw)
        case .clock: try await stepClock(&draw)
        case .cut: try await cut(&draw)
        case .full: try await fillDisk(&draw)
        case .brokerKill, .brokerStop: try await injectBroker(kind, &draw)
        case .terminate: try await terminateOne(&draw)
        }
        await log.end(kind, "")
    }

    /// Three in four are workers.
    func victim(_ draw: inout SplitMix64) async -> Roster.Member? {
        let role: Roster.Role = draw.nextUnit() < 0.75 ? .worker : .scheduler
        return await roster.take(role, draw: draw.nextUnit())
    }

    func record(
        _ kind: FaultWindow.Kind, _ children: [ChildProcess], _ name: String, since start: Timestamp,
        heldLog: Bool = false, gaveUp: Bool = false
    ) async {
        await log.add(
            FaultWindow(
                kind: kind, targets: Set(children.map(\.processID)), name: name, start: start, end: time.now(),
                heldLog: heldLog, gaveUp: gaveUp))
    }

    private func injectBroker(_ kind: FaultWindow.Kind, _ draw: inout SplitMix64) async throws {
        guard let brokers = options.brokers else { return }
        let number = 1 + Int(draw.nextUnit() * Double(brokers.count))
        let start = time.now()
        if kind == .brokerKill {
            try brokers.signal(number, SIGKILL)
            try await time.sleep(milliseconds: 1000 + Int64(draw.nextUnit() * 7000))
            try await brokers.restart()
        } else {
            try brokers.signal(number, SIGSTOP)
            try await time.sleep(milliseconds: 1000 + Int64(draw.nextUnit() * 29_000))
            try brokers.signal(number, SIGCONT)
        }
        await record(kind, [], "broker\(number)", since: start)
    }
}

extension [FaultWindow.Kind] {
    fileprivate func rotated(by count: Int) -> Self { Self(self[count...] + self[..<count]) }
}
