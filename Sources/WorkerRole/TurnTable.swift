internal import Containers

/// The unsettled turns of a partition, by seat: their number in ``Slots``.
///
/// Small, for it is looked at for every step of a turn: a look at a field of something larger retains all that it has.
struct TurnTable: Sendable {
    let slot: Int
    let assignment: Int64
    private var turns = Slots<Turn>()

    init(slot: Int, assignment: Int64) {
        self.slot = slot
        self.assignment = assignment
    }

    @inline(__always) func place(_ seat: Int, _ offset: Int64) -> TurnPlace {
        TurnPlace(slot: slot, assignment: assignment, seat: seat, offset: offset)
    }

    /// In the order of their seats.
    var all: some Sequence<Turn> { turns.values.lazy.compactMap { $0 } }

    /// Nil when the seat is free.
    @inline(__always) func turn(ofSeat seat: Int) -> Turn? { turns.values[seat] }

    /// The place of the turn of a seat; nil when the seat is free.
    func place(ofSeat seat: Int) -> TurnPlace? { turn(ofSeat: seat).map { place(seat, $0.facts.place.offset) } }

    @inline(__always) private func isHeld(_ place: TurnPlace) -> Bool {
        place.assignment == assignment && place.seat < turns.values.count
            && turns.values[place.seat]?.facts.place.offset == place.offset
    }

    /// Nil when the turn is gone.
    subscript(place: TurnPlace) -> Turn? {
        @inline(__always) get { isHeld(place) ? turns.values[place.seat] : nil }
    }

    /// Does nothing when the turn is gone.
    @inline(__always) mutating func change(_ place: TurnPlace, _ body: (inout Turn) -> Void) {
        if isHeld(place) { body(&turns.values[place.seat]!) }
    }

    mutating func take(_ turn: Turn) -> Int { turns.insert(turn) }

    /// Nil when the turn is gone.
    mutating func remove(_ place: TurnPlace) -> Turn? {
        isHeld(place) ? turns.remove(place.seat) : nil
    }
}
