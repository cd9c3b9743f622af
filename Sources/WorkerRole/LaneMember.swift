internal import TaskModel

/// Another event of a lane that is not settled.
enum LaneMember {
    /// Its record is a hole of this worker's.
    case here(TurnPlace, Turn)
    /// The ledger alone knows it: it waits in `retry`, or another worker runs it and its record has not arrived.
    case away(LedgerFold.OpenWork)

    var fingerprint: Fingerprint {
        switch self {
        case .here(_, let turn): turn.facts.coordinate.fingerprint
        case .away(let work): work.fingerprint
        }
    }
}

extension LedgerFold.OpenWork {
    /// Lost starts and what was given back come again as records; until then nobody runs them.
    var isAtWork: Bool { decision != nil || isLeased }

    var isLeased: Bool { (notes?.lease?.length ?? 0) > 0 }
}

extension [LaneMember] {
    /// What a rule has to know of them: each event counts once, by the furthest of its turns.
    func state(isFull: Bool) -> LaneState {
        var open: Set<Fingerprint> = []
        var waiting: Set<Fingerprint> = []
        var ending: Set<Fingerprint> = []
        for member in self {
            switch member {
            case .here(_, let turn) where turn.stage == .waiting || turn.stage == .buffered:
                waiting.insert(member.fingerprint)
            case .here(_, let turn) where turn.isEnding: ending.insert(member.fingerprint)
            case .here, .away: open.insert(member.fingerprint)
            }
        }
        return LaneState(
            open: open.count, waiting: waiting.subtracting(open).count,
            ending: ending.subtracting(open).subtracting(waiting).count, isFull: isFull)
    }
}
