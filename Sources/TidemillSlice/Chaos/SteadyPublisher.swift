import ServiceRuntime
import TaskClient
import TaskModel

/// Publishes the plan's events at a steady rate; what the log did not take is sent again, the same request, until it is taken.
actor SteadyPublisher {
    private let plan: ChaosPlan
    private let client: TaskClient
    /// Events a second.
    private let rate: Int
    private let time = SystemTimeSource()
    private(set) var accepted: Set<Fingerprint> = []
    /// Those whose handler always fails.
    private(set) var doomed: Set<Fingerprint> = []
    /// When those that wait may start at the earliest.
    private(set) var plannedStarts: [Fingerprint: Timestamp] = [:]
    /// Of those that were not taken at once: one that was refused may be in the log all the same.
    private var firstSent: [String: Timestamp] = [:]
    /// Requests that had to be sent again.
    private(set) var repeats = 0
    private var next = 0

    init(plan: ChaosPlan, client: TaskClient, rate: Int) {
        self.plan = plan
        self.client = client
        self.rate = rate
    }

    /// Until `end`, and until everything sent is taken, but at most a minute and a half longer.
    func run(until end: Int64) async throws {
        let start = time.uptime()
        var refused: [PublishRequest] = []
        while time.uptime() < end || !refused.isEmpty {
            guard time.uptime() < end + 90_000 else {
                throw SliceFailure("\(refused.count) events could not be published for 90 s")
            }
            let wanted = Int(min(time.uptime(), end) - start) * rate / 1000
            let now = time.now()
            let fresh = try (next..<max(next, min(wanted, next + 500))).map { try plan.request($0, now: now) }
            next += fresh.count
            refused = await publish(refused + fresh, now)
            try await time.sleep(milliseconds: refused.isEmpty ? 20 : 250)
        }
    }

    private func publish(_ requests: [PublishRequest], _ now: Timestamp) async -> [PublishRequest] {
        guard !requests.isEmpty else { return [] }
        var refused: [PublishRequest] = []
        for (request, result) in zip(requests, await client.publish(requests)) {
            switch result {
            case .success(let receipt):
                accepted.insert(receipt.fingerprint)
                let sent = firstSent.removeValue(forKey: request.id) ?? now
                plannedStarts[receipt.fingerprint] = earliest(request, sent)
                if isDoomed(request) { doomed.insert(receipt.fingerprint) }
            case .failure:
                if firstSent[request.id] == nil { firstSent[request.id] = now }
                refused.append(request)
            }
        }
        repeats += refused.count
        return refused
    }

    private func earliest(_ request: PublishRequest, _ sent: Timestamp) -> Timestamp? {
        switch request.start {
        case .now: nil
        case .after(let milliseconds): sent + milliseconds
        case .at(let time): time
        }
    }

    private func isDoomed(_ request: PublishRequest) -> Bool {
        guard let index = Int(request.id.dropFirst("event-".count)) else { return false }
        return plan.work(index).fate == .failsAlways
    }
}
