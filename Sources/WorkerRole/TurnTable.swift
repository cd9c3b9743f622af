/// The unsettled turns of a partition, by seat. A seat is used again once its turn is settled.
///
/// Small, for it is looked at for every step of a turn: a look at a field of something larger retains all that it has.
struct TurnTable: Sendable {
    let slot: Int
    let assignment: Int64
    private(set) var turns: ContiguousArray<Turn?> = []
    private var freeSeats: [Int] = []

    init(slot: Int, assignment: Int64) {
        self.slot = slot
        self.assignment = assignment
    }

    @inline(__always) func place(_ seat: Int, _ offset: Int64) -> TurnPlace {
        TurnPlace(slot: slot, assignment: assignment, seat: seat, offset: offset)
    }

    /// The place of the turn of a seat; nil when the seat is free.
    func place(ofSeat seat: Int) -> TurnPlace? { turns[seat].map { place(seat, $0.facts.place.offset) } }

    @inline(__always) private func isHeld(_ place: TurnPlace) -> Bool {
        place.assignment == assignment && place.seat < turns.count
            && turns[place.seat]?.facts.place.offset == place.offset
    }

    /// Nil when the turn is gone.
    subscript(place: TurnPlace) -> Turn? {
        @inline(__always) get { isHeld(place) ? turns[place.seat] : nil }
    }

    /// Does nothing when the turn is gone.
    @inline(__always) mutating func change(_ place: TurnPlace, _ body: (inout Turn) -> Void) {
        if isHeld(place) { body(&turns[place.seat]!) }
    }

    mutating func take(_ turn: Turn) -> Int {
        if let seat = freeSeats.popLast() {
            turns[seat] = turn
            return seat
        }
        turns.append(turn)
        return turns.count - 1
    }

    /// Nil when the turn is gone.
    mutating func remove(_ place: TurnPlace) -> Turn? {
        guard isHeld(place) else { return nil }
        defer {
            turns[place.seat] = nil
            freeSeats.append(place.seat)
        }
        return turns[place.seat]
    }
}
