/// What running processes, and the broker where there is one, use between two moments.
struct UseMeter: Sendable {
    private let session: BenchSession
    private let children: [(name: String, child: BenchChild, before: Double)]
    private let brokerBefore: Double

    /// From now on.
    init(_ session: BenchSession, scheduler: BenchChild? = nil, workers: [BenchChild]) {
        self.session = session
        let named = (scheduler.map { [("scheduler", $0)] } ?? []) + workers.map { ("worker", $0) }
        children = named.map { name, child in (name, child, child.reading?.cpuMicroseconds ?? 0) }
        brokerBefore = session.brokerReading()?.cpuMicroseconds ?? 0
    }

    /// Up to now.
    func uses(tasks: Int) -> [ProcessUse] {
        children.map { ProcessUse($0.name, $0.child.reading, since: $0.before, tasks: tasks) }
            + (session.brokerReading().map { [ProcessUse("broker", $0, since: brokerBefore, tasks: tasks)] } ?? [])
    }
}
