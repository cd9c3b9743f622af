internal import ServiceRuntime
internal import TaskLog
internal import TaskModel

extension TaskClient {
    /// Finds the nominal times of a range and what became of each, and writes nothing.
    ///
    /// What ran is told from the ledger (kept three dedup windows) and the journal (30 days). Throws `notFound`, and
    /// `invalidRequest` for more than ``BackfillPlan/maximumItems`` nominal times.
    public func planBackfill(_ order: BackfillOrder) async throws(ClientError) -> BackfillPlan {
        let view = try await schedule(order.scheduleID)
        let now = time.now()
        var nominals: [Timestamp] = []
        var position = order.from - 1
        while let next = view.spec.next(after: position), next < order.to, next <= now {
            guard nominals.count < BackfillPlan.maximumItems else {
                throw ClientError(
                    .invalidRequest,
                    "\(view.id) has more than \(BackfillPlan.maximumItems) nominal times there: take a shorter range")
            }
            nominals.append(next)
            position = next
        }
        let ledger = try await ledger(of: view.spec)
        let (knowledge, end) = try await knowledge(of: view.id, nominals.map(order.fingerprint), in: ledger)
        let ledgerStart = now - 2 * plan.dedupWindow
        let items = nominals.map { nominal in
            let fingerprint = order.fingerprint(of: nominal)
            let (action, replay) = knowledge.action(for: fingerprint, ledgerStart: ledgerStart)
            return BackfillPlan.Item(nominal: nominal, fingerprint: fingerprint, replay: replay, action: action)
        }
        return BackfillPlan(spec: view.spec, items: order.isReversed ? items.reversed() : items, ledgerEnd: end)
    }

    /// Publishes what a plan says, and returns how many events that were.
    ///
    /// Each event is durable before the journal names it, and has an identity of its own; so a backfill that stopped goes
    /// on when it is planned and run again, and what ran is not repeated. They run beside each other whatever the
    /// schedule's overlap rule; `concurrency` bounds that, by following the ledger. The last events are not waited for.
    /// An expiry counts from the publication. Throws when the log does not answer.
    @discardableResult
    public func backfill(
        _ plan: BackfillPlan, _ order: BackfillOrder,
        progress: @Sendable (BackfillProgress) async -> Void = { _ in }
    ) async throws -> Int {
        let pending = plan.items.filter { $0.action == .publish }
        guard !pending.isEmpty else { return 0 }
        let place = try await partition(of: Array(plan.spec.key.utf8), in: try await topology.due(plan.spec.queue).name)
        try await journal([summary(of: plan, order)])
        guard let concurrency = order.concurrency else {
            return try await publish(pending, plan, order, to: place, progress)
        }
        var window = BackfillWindow(plan, limit: concurrency)
        let ledger = try await ledger(of: plan.spec)
        let follower = try await log.follow([ledger: plan.ledgerEnd])
        do {
            let published = try await publish(pending, plan, order, to: place, progress) { wanted in
                while window.room == 0, let records = try await follower.next() {
                    for record in records { window.take(record) }
                }
                return window.open(wanted)
            }
            await follower.close()
            return published
        } catch {
            await follower.close()
            throw error
        }
    }

    /// Publishes in chunks. `admit` is asked which of the next events may go, waits until one may, and answers how many and
    /// how many are open then.
    private func publish(
        _ pending: [BackfillPlan.Item], _ plan: BackfillPlan, _ order: BackfillOrder, to place: TopicPartition,
        _ progress: (BackfillProgress) async -> Void,
        admit: (ArraySlice<BackfillPlan.Item>) async throws -> (count: Int, open: Int) = { ($0.count, 0) }
    ) async throws -> Int {
        var pace = Pace(rate: order.rate, start: time.uptime())
        let largest = max(1, min(Self.chunkRecords, pace.burst, Self.chunkBytes / max(1, plan.spec.payload.count)))
        var published = 0
        while published < pending.count {
            let (count, open) = try await admit(pending[published...].prefix(largest))
            guard count > 0 else {
                throw ClientError(
                    .unavailable, "the ledger of \(order.scheduleID) is not told any more", isRetriable: true)
            }
            let pause = pace.pause(before: count, uptime: time.uptime())
            if pause > 0 { try await time.sleep(milliseconds: pause) }
            let chunk = pending[published..<published + count]
            let now = time.now()
            let events = chunk.map { event(of: $0, plan.spec, order, now) }
            try await append(
                events.map { LogAppend($0.encoded(), to: place) }, while: "publishing to \(place.topic)")
            try await journal(events.map { entry(of: $0, order, now) })
            published += count
            await progress(BackfillProgress(published: published, total: pending.count, open: open))
        }
        return published
    }

    private func event(
        of item: BackfillPlan.Item, _ spec: ScheduleSpec, _ order: BackfillOrder, _ now: Timestamp
    ) -> TaskEvent {
        var event = FireMaker.event(of: spec, nominal: item.nominal, due: now, standsFor: 1, now: now)
        event.fingerprint = item.fingerprint
        event.replay = item.replay
        event.expiresAt = spec.expiry.map { now + $0 }
        event.overlap = .allow
        if let label = order.label {
            event.source = BackfillPlan.source
            event.id += "#\(label)"
        }
        return event
    }

    private func entry(of event: TaskEvent, _ order: BackfillOrder, _ now: Timestamp) -> JournalEntry {
        JournalEntry(
            subject: order.scheduleID, kind: .fired, at: now, author: order.author,
            reason: order.label.map { "backfill as new, \($0)" } ?? "backfill", fingerprint: event.fingerprint,
            nominal: event.nominalTime)
    }

    private func summary(of plan: BackfillPlan, _ order: BackfillOrder) -> JournalEntry {
        let count = plan.count(.publish)
        var text = "backfill of \(order.from.rfc3339) to \(order.to.rfc3339): "
        text += "\(count) of \(plan.items.count) nominal times"
        if let label = order.label { text += ", as new, \(label)" }
        if !order.reason.isEmpty { text += ": \(order.reason)" }
        return JournalEntry(
            subject: order.scheduleID, kind: .triggered, at: time.now(), author: order.author, reason: text,
            count: count)
    }

    /// The ledger partition of all fires of a schedule: they share a lane.
    private func ledger(of spec: ScheduleSpec) async throws(ClientError) -> TopicPartition {
        _ = try await topology.due(spec.queue)
        return try await partition(of: Array(spec.key.utf8), in: names.ledger(spec.queue))
    }

    private func knowledge(
        of id: String, _ fingerprints: [Fingerprint], in ledger: TopicPartition
    ) async throws(ClientError) -> (BackfillKnowledge, ledgerEnd: Int64) {
        let wanted = Set(fingerprints)
        let knowledge = Shared(BackfillKnowledge())
        let end: Int64
        do {
            let bounds = try await log.bounds(of: [ledger])[ledger]
            end = bounds?.end ?? 0
            try await log.scan(ledger, from: bounds?.start ?? 0, to: end) { records in
                for record in records {
                    guard let entry = LedgerRecord(key: record.key, value: record.value) else { continue }
                    if wanted.contains(entry.coordinate.fingerprint) { knowledge.change { $0.add(entry) } }
                }
                return true
            }
        } catch {
            throw ClientError(wrapping: error, while: "reading \(ledger)")
        }
        for entry in try await journal(of: id, limit: Self.maximumInquiryEntries) {
            guard let fingerprint = entry.fingerprint, wanted.contains(fingerprint) else { continue }
            knowledge.change { $0.add(entry) }
        }
        return (knowledge.value, end)
    }
}

/// Keeps the number of open events of a backfill below its limit.
private struct BackfillWindow {
    private let limit: Int
    /// With the replay that must end.
    private var openEvents: [Fingerprint: UInt32] = [:]

    init(_ plan: BackfillPlan, limit: Int) {
        self.limit = max(1, limit)
        for item in plan.items where item.action == .open { openEvents[item.fingerprint] = item.replay }
    }

    var room: Int { max(0, limit - openEvents.count) }

    mutating func open(_ items: ArraySlice<BackfillPlan.Item>) -> (count: Int, open: Int) {
        let taken = items.prefix(room)
        for item in taken { openEvents[item.fingerprint] = item.replay }
        return (taken.count, openEvents.count)
    }

    mutating func take(_ record: LogRecord) {
        guard let entry = LedgerRecord(key: record.key, value: record.value), case .outcome(let detail) = entry.body,
            detail.outcome.outcomeClass != .again, let replay = openEvents[entry.coordinate.fingerprint],
            entry.coordinate.replay >= replay
        else { return }
        openEvents[entry.coordinate.fingerprint] = nil
    }
}
