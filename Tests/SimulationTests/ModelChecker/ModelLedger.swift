import TaskModel

/// The decisions that can be made about the one event, each with the turn that it is about.
enum ModelDecision: UInt8, CaseIterable {
    case againFirst = 1
    case fatalFirst, completedFirst, deadSecond, completedSecond

    var turn: UInt8 { rawValue <= Self.completedFirst.rawValue ? 1 : 2 }
    var isCompleted: Bool { self == .completedFirst || self == .completedSecond }
}

/// How an attempt can end.
enum ModelEnd: String, CaseIterable {
    case succeeds, fails
    case failsForGood = "fails for good"
}

/// The real machinery behind the world: the policy makes the decisions, the fold judges, the settle machine says what
/// follows, the tracker says what is committed. All of it is a function of a few bits, so each answer is kept.
final class ModelLedger {
    enum Verdict {
        case run
        case stale(completed: Bool)
        case redo(ModelDecision)
    }

    /// What a set of ledger records says.
    struct View {
        var first: Verdict
        var second: Verdict
        /// The event is known both as dead and as completed.
        var hasLateCompletion: Bool
        var isCompleted: Bool
        var isDead: Bool
    }

    private let events: [TaskEvent]
    private let decisions: [ModelDecision: Decision]
    private let codes: [Decision: ModelDecision]
    private var views: [UInt64: View] = [:]
    private var commits: [UInt16: ModelWorld.Commit] = [:]

    init() {
        let now = Timestamp(seconds: 1_800_000_000)
        let policy = OutcomePolicy(retry: RetryPolicy(maxAttempts: 2))
        let first = TaskEvent(
            id: "1", source: "model", task: "t", payload: [], fingerprint: Fingerprint(high: 1, low: 2))
        var decisions: [ModelDecision: Decision] = [:]
        func decide(_ code: ModelDecision, _ event: TaskEvent, _ result: AttemptResult) {
            let detail = policy.outcome(of: result, event: event, firstDue: now, startedAt: now, now: now)
            decisions[code] = Decision(
                coordinate: event.coordinate, attempt: event.attempt, worker: "", laneHash: nil, detail: detail)
        }
        let failure = AttemptResult.failed(code: "error", message: "")
        decide(.againFirst, first, failure)
        decide(.fatalFirst, first, .fatal(reason: .fatal, code: "fatal", message: ""))
        decide(.completedFirst, first, .completed)
        let second = decisions[.againFirst]!.nextTurn(of: first, recordTime: now)
        decide(.deadSecond, second, failure)
        decide(.completedSecond, second, .completed)
        events = [first, second]
        self.decisions = decisions
        codes = Dictionary(uniqueKeysWithValues: decisions.map { ($1, $0) })
    }

    /// What the policy makes of an attempt's end.
    func decision(ofTurn turn: UInt8, _ end: ModelEnd) -> ModelDecision {
        switch (turn, end) {
        case (1, .succeeds): .completedFirst
        case (1, .fails): .againFirst
        case (1, .failsForGood): .fatalFirst
        case (_, .succeeds): .completedSecond
        default: .deadSecond
        }
    }

    /// The outcome that the real policy gave this decision.
    func outcome(_ decision: ModelDecision) -> Outcome { decisions[decision]!.detail.outcome }

    func coordinate(ofTurn turn: UInt8) -> Coordinate { events[Int(turn) - 1].coordinate }

    /// Whether the real settle machine wants an effect between the decision and the end.
    func needsEffect(_ decision: ModelDecision) -> Bool {
        var machine = SettleMachine()
        guard case .appendDecision(let value) = machine.decide(decisions[decision]!) else { return false }
        if case .appendEffect = machine.decided(value) { return true }
        return false
    }

    /// What the records of `known` (four bits each, 0 is one that was not read) say, by the real codec and fold.
    func view(_ known: UInt64) -> View {
        if let view = views[known] { return view }
        let records = (0..<16).compactMap { ModelDecision(rawValue: UInt8(known >> (4 * $0) & 15)) }
        var fold = fold(records)
        let view = view(of: &fold)
        // Rebuilt from the end it must be the same: a takeover reads everything at once, a tail bit by bit.
        var reversed = self.fold(records.reversed())
        precondition("\(self.view(of: &reversed))" == "\(view)", "the fold depends on the order of \(records)")
        views[known] = view
        return view
    }

    private func fold(_ records: [ModelDecision]) -> LedgerFold {
        var fold = LedgerFold()
        for record in records {
            let value = decisions[record]!.record
            let read = try! LedgerRecord(fingerprint: value.coordinate.fingerprint, value: value.encoded())
            _ = fold.apply(read, time: .epoch)
        }
        return fold
    }

    private func view(of fold: inout LedgerFold) -> View {
        let outcome = fold.outcome(of: events[0].fingerprint)?.outcome
        return View(
            first: verdict(fold, events[0]), second: verdict(fold, events[1]),
            hasLateCompletion: !fold.takeLateCompletions().isEmpty, isCompleted: outcome == .completed,
            isDead: outcome == .dead)
    }

    private func verdict(_ fold: LedgerFold, _ event: TaskEvent) -> Verdict {
        switch fold.judge(event.coordinate) {
        case .run: .run
        case .redo(let decision): .redo(codes[decision]!)
        case .stale(let outcome): .stale(completed: outcome == .completed)
        }
    }

    /// What is committed for a worker's offsets, by the real tracker and the real metadata, written and read back.
    func commit(next: UInt8, start: UInt8, holes: UInt8) -> ModelWorld.Commit {
        let key = UInt16(next) << 12 | UInt16(start) << 8 | UInt16(holes)
        if let commit = commits[key] { return commit }
        var tracker = OffsetTracker(start: Int64(start))
        for offset in Int64(start)..<Int64(next) {
            precondition(tracker.receive(offset))
            if holes & 1 << UInt8(offset) == 0 { tracker.settle(offset) }
        }
        let text = CommitMetadata(tracker, isClean: false).encoded(offset: tracker.watermark)
        let read = CommitMetadata(offset: tracker.watermark, metadata: text)!
        let commit = ModelWorld.Commit(
            offset: UInt8(tracker.watermark), highMark: UInt8(read.highMark),
            holes: read.holes.reduce(0) { $0 | 1 << UInt8($1) })
        commits[key] = commit
        return commit
    }
}
