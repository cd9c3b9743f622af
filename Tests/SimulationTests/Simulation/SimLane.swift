import TaskLog
import TaskModel

/// Lanes of schedules: all events of one have the same overlap rule, so that each rule promises something.
enum SimLane {
    static func enter(_ event: inout TaskEvent, _ random: inout SimRandom) {
        let rule = OverlapRule.allCases[Int(random.number(0...Int64(OverlapRule.allCases.count - 1)))]
        event.partitionKey = "\(rule.rawValue)-\(random.number(1...2))"
        event.scheduleID = event.partitionKey
        event.overlap = rule
        switch rule {
        case .allow: event.overlapLimit = 2
        case .bufferAll: event.overlapLimit = random.chance(50) ? 3 : nil
        case .skip, .bufferOne, .cancelOther, .terminateOther: break
        }
    }

    /// How many may run at once; nil where nothing is promised.
    static func capacity(of event: TaskEvent) -> Int? {
        guard event.scheduleID != nil else { return nil }
        switch event.overlap {
        case .skip, .bufferOne, .bufferAll, .cancelOther: return 1
        case .allow: return event.overlapLimit.map { Int($0) }
        // The old attempt may take its time to end.
        case .terminateOther: return nil
        }
    }
}

extension SimWorld {
    /// An event starts: what else runs in its lane, in whichever process? Replays are a person's, and under no rule; and
    /// nobody can tell how what a crash or a pause has disturbed goes on.
    func checkLane(of coordinate: Coordinate, in worker: SimWorker) {
        guard coordinate.replay == 0, !worker.member.isZombie, let event = plannedEvents[coordinate.fingerprint],
            let capacity = SimLane.capacity(of: event)
        else { return }
        let beside = workers.filter { $0.state == .running }.flatMap(\.running).filter { execution in
            let other = execution.coordinate
            // A person's cancel frees the lane when the owner reads it; another worker may take a moment longer to hear
            // of it, and to end.
            let isRepeated = (executions[other]?.count ?? 0) > 1
            let isElsewhere = !worker.running.contains { $0 === execution }
            let isToldSoon = cancelWritten[other].map { clock <= $0 + plan.slowestHearing } ?? false
            let isEnding = execution.isCancelled && cancelledByPerson.contains(other.fingerprint)
            return !(isElsewhere && isToldSoon || isEnding)
                // One that a lost partition made run twice is ended by whoever is first.
                && !isRepeated
                && other.replay == 0 && other.fingerprint != coordinate.fingerprint
                && plannedEvents[other.fingerprint]?.partitionKey == event.partitionKey
        }.map(\.coordinate)
        if !beside.isEmpty { laneMeetings += 1 }
        check(beside.count < capacity, "a lane runs no more at once than its rule allows") {
            "\(coordinate) starts in \(worker.name), lane \(event.partitionKey ?? ""), beside \(beside)"
        }
    }

    /// What a rule has to answer for, at rest: only `skip`, a full lane or a full buffer skips; only the two rules that end
    /// others do so.
    func checkLaneEnd(of fingerprint: Fingerprint, _ outcome: Outcome) {
        guard let event = plannedEvents[fingerprint] else { return }
        if outcome == .skipped {
            let mayBeSkipped = event.scheduleID != nil && ![.cancelOther, .terminateOther].contains(event.overlap)
            check(mayBeSkipped, "only its rule skips an event") { "\(fingerprint) \(event.overlap)" }
        }
        if outcome == .cancelled, !cancelledByPerson.contains(fingerprint) {
            check(
                event.scheduleID != nil && [.cancelOther, .terminateOther].contains(event.overlap),
                "an event is cancelled only by a person or its lane"
            ) { "\(fingerprint) \(event.overlap)" }
        }
    }
}
