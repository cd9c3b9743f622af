/// The attempts that run, by seat: an id says its seat, so a look-up costs no hash. A seat is used again once its attempt is
/// over, an id never is.
struct AttemptTable: Sendable {
    /// Of the id; the rest counts the starts. A million attempts at once, and starts for as long as the process may live.
    private static let seatBits: UInt64 = 20

    /// The seat of an attempt, which no other has while it runs.
    static func seat(of id: AttemptID) -> Int { Int(id & (1 << seatBits - 1)) }

    private var seats: ContiguousArray<Attempt?> = []
    private var freeSeats: [Int] = []
    private var starts: UInt64 = 0

    var count: Int { seats.count - freeSeats.count }
    var isEmpty: Bool { count == 0 }

    /// In the order of their starts.
    var ids: [AttemptID] { all.map(\.id).sorted() }

    var all: some Sequence<Attempt> { seats.lazy.compactMap { $0 } }

    /// Makes an attempt with an id of its own.
    mutating func add(_ attempt: (AttemptID) -> Attempt) -> AttemptID {
        starts += 1
        let seat = freeSeats.popLast() ?? seats.count
        precondition(seat < 1 << Self.seatBits)
        let id = starts << Self.seatBits | UInt64(seat)
        if seat == seats.count { seats.append(attempt(id)) } else { seats[seat] = attempt(id) }
        return id
    }

    /// Nil when it is over. Setting does nothing then.
    subscript(id: AttemptID) -> Attempt? {
        get { held(id).flatMap { seats[$0] } }
        set { if let seat = held(id), newValue != nil { seats[seat] = newValue } }
    }

    /// Nil when it was over already.
    mutating func remove(_ id: AttemptID) -> Attempt? {
        guard let seat = held(id) else { return nil }
        defer {
            seats[seat] = nil
            freeSeats.append(seat)
        }
        return seats[seat]
    }

    private func held(_ id: AttemptID) -> Int? {
        let seat = Self.seat(of: id)
        return seat < seats.count && seats[seat]?.id == id ? seat : nil
    }
}
