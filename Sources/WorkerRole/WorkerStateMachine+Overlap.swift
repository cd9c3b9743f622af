internal import TaskLog
internal import TaskModel

/// Overlap rules: who may enter its lane, who waits for it, and who wakes those that wait.
///
/// All that is kept is who waits. Each time something of the lane ends, the first that waits is judged anew, by the ledger
/// and the turns that are held: so a new owner goes on wherever the old one stopped.
extension WorkerStateMachine {
    /// Whether the event may start. If not, it waits from here on, or its skip is on the way.
    mutating func enterLane(_ place: TurnPlace, _ turn: Turn, _ now: WorkerNow) -> Bool {
        guard let lane = turn.facts.event.laneHash else { return true }
        let rule = turn.facts.event.overlap
        let others = laneMembers(besides: turn, place, lane)
        let isNew = turn.stage != .buffered
        let move = rule.move(
            limit: turn.facts.event.overlapLimit, lane: others.state(isFull: isNew && hasNoRoomToWait(place.slot)),
            isNew: isNew)
        switch move {
        case .enter: return true
        case .skip(let reason):
            decide(place, turn, OutcomeDetail(.skipped, endedAt: now.wall, code: "overlap", message: reason))
        case .wait: waitForLane(place, turn)
        case .cancelOthers, .terminateOthers:
            waitForLane(place, turn)
            for other in others { displace(other, for: turn, place, terminates: move == .terminateOthers, now) }
        }
        return false
    }

    /// The other events of the lane that are in this one's way.
    private func laneMembers(besides turn: Turn, _ place: TurnPlace, _ lane: UInt32) -> [LaneMember] {
        let here = partitions[place.slot].laneTurns(besides: turn).filter { isInTheWay($0.1, of: turn, place.slot) }
        // A later record does not stand in the way, but its event may: by an earlier turn, as the ledger knows.
        let present = Set(here.map(\.1.facts.coordinate.fingerprint))
        let away = ledgers[place.slot].fold.open(inLane: lane, besides: turn.facts.coordinate.fingerprint)
            .filter { $0.isAtWork && !present.contains($0.fingerprint) }
        return here.map { .here($0, $1) } + away.map { .away($0) }
    }

    private func isInTheWay(_ other: Turn, of turn: Turn, _ slot: Int) -> Bool {
        switch other.stage {
        // Later ones stand behind it.
        case .waiting, .buffered: return other.facts.place.offset < turn.facts.place.offset
        case .forwarding: return false
        case .running where turn.facts.event.overlap == .terminateOther:
            // Once its end is on record nobody waits for its attempt.
            if case .run = ledgers[slot].fold.judge(other.facts.coordinate) { return true }
            return false
        case .ready, .noting, .running, .settling, .leased: return true
        }
    }

    // MARK: waiting

    private mutating func waitForLane(_ place: TurnPlace, _ turn: Turn) {
        guard turn.stage != .buffered else { return }
        // Who stood back because of this one, when only the ledger knew it, need not any more.
        wakeLane(turn.facts.keyHash, of: place.slot)
        setStage(.buffered, at: place)
        laneWaits[place.slot, default: []].append(place)
    }

    /// Something of a lane ended: the first that waits for it is judged anew. Nil means any lane of the partition.
    mutating func wakeLane(_ keyHash: UInt32?, of slot: Int) {
        guard !laneWaits.isEmpty else { return }
        var seen: Set<String> = []
        for turn in waitingTurns(of: slot) where keyHash == nil || turn.1.facts.keyHash == keyHash {
            if let key = turn.1.facts.event.partitionKey, seen.insert(key).inserted { toJudge.append(turn.0) }
        }
    }

    /// In the order of their offsets.
    private mutating func waitingTurns(of slot: Int) -> [(TurnPlace, Turn)] {
        guard let places = laneWaits[slot] else { return [] }
        let waiting = places.compactMap { place in turn(at: place).map { (place, $0) } }
            .filter { $0.1.stage == .buffered }.sorted { $0.0.offset < $1.0.offset }
        laneWaits[slot] = waiting.isEmpty ? nil : waiting.map(\.0)
        return waiting
    }

    /// What waits holds room that the retries it waits for need as well: so it gets a quarter of it.
    private mutating func hasNoRoomToWait(_ slot: Int) -> Bool {
        guard !laneWaits.isEmpty else { return false }
        let waiting = waitingTurns(of: slot)
        return waiting.count >= configuration.maximumHoles / 4
            || waiting.reduce(0) { $0 + $1.1.facts.byteCount } >= configuration.maximumBufferedBytes / 4
    }
}
