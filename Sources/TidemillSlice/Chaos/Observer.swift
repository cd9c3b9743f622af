import ServiceRuntime
import TaskModel

/// Looks at the log and the processes while faults go on: the pulse, the census, a line now and then.
actor Observer {
    private let bench: Bench
    private let roster: Roster
    private let log: FaultLog
    private let time = SystemTimeSource()
    private(set) var pulse = Pulse()
    private(set) var census = ProcessCensus()

    static let interval: Int64 = 200
    private static let looksPerSecond = 5

    init(bench: Bench, roster: Roster, log: FaultLog) {
        self.bench = bench
        self.roster = roster
        self.log = log
    }

    /// Until it is cancelled.
    func run() async throws {
        var looks = 0
        while !Task.isCancelled {
            let now = time.now()
            let age = bench.watch.read { state in state.open.values.min().map { max(0, now - $0) } ?? 0 }
            pulse.beats.append(Pulse.Beat(at: now, age: age))
            if looks % Self.looksPerSecond == 0 {
                try await roster.reviveEnded()
                census.look(await roster.running)
            }
            if looks % (10 * Self.looksPerSecond) == 0 { await tell(age) }
            looks += 1
            try await time.sleep(milliseconds: Self.interval)
        }
    }

    private func tell(_ age: Int64) async {
        let (ended, waiting) = bench.watch.read { ($0.ended, $0.stillWaiting.count) }
        let faults = await log.underWay.joined(separator: ",")
        SliceProgram.say(
            "  \(ended) ended, \(waiting) waiting, oldest undecided \(age) ms; faults so far "
                + "\(await log.faults.count), now: \(faults.isEmpty ? "-" : faults)")
    }
}
