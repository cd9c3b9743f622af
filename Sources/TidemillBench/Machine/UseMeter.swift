/// What running processes, and the brokers where there are some, use while a workload is measured.
struct UseMeter: Sendable {
    private struct Account: Sendable {
        var name: String
        var used = 0.0
        var before = 0.0
        var last: ProcessReading?

        mutating func resume(_ reading: ProcessReading?) { before = reading?.cpuMicroseconds ?? 0 }

        mutating func pause(_ reading: ProcessReading?) {
            guard let reading else { return }
            used += reading.cpuMicroseconds - before
            last = reading
        }

        func use(tasks: Int) -> ProcessUse? {
            last.map { last in
                ProcessUse(name, ProcessReading(cpuMicroseconds: used, peakKibibytes: last.peakKibibytes), tasks: tasks)
            }
        }
    }

    private let session: BenchSession
    private let children: [BenchChild]
    private var accounts: [Account]
    private var broker = Account(name: "broker")

    /// Running from now on.
    init(_ session: BenchSession, scheduler: BenchChild? = nil, workers: [BenchChild]) {
        self.session = session
        let schedulers = scheduler.map { [$0] } ?? []
        children = schedulers + workers
        accounts = schedulers.map { _ in Account(name: "scheduler") } + workers.map { _ in Account(name: "worker") }
        resume()
    }

    mutating func resume() {
        for index in accounts.indices { accounts[index].resume(children[index].reading) }
        broker.resume(session.brokerReading())
    }

    /// `brokers`: as they were read before anybody counted what they hold.
    mutating func pause(brokers: ProcessReading?) {
        for index in accounts.indices { accounts[index].pause(children[index].reading) }
        broker.pause(brokers)
    }

    func uses(tasks: Int) -> [ProcessUse] { (accounts + [broker]).compactMap { $0.use(tasks: tasks) } }
}
