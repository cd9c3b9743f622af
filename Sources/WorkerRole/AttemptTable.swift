internal import Containers
internal import TaskModel

/// The attempts that run, by seat: an id says its seat, so a look-up costs no hash. A seat is used again once its attempt is
/// over, an id never is.
struct AttemptTable: Sendable {
    /// Of the id; the rest counts the starts. A million attempts at once, and starts for as long as the process may live.
    private static let seatBits: UInt64 = 20

    /// The seat of an attempt, which no other has while it runs.
    static func seat(of id: AttemptID) -> Int { Int(id & (1 << seatBits - 1)) }

    private var seats = Slots<Attempt>()
    private var starts: UInt64 = 0

    var count: Int { seats.count }
    var isEmpty: Bool { seats.isEmpty }

    /// In the order of their starts.
    var ids: [AttemptID] { all.map(\.id).sorted() }

    var all: some Sequence<Attempt> { seats.values.lazy.compactMap { $0 } }

    /// Makes an attempt with an id of its own.
    mutating func add(_ attempt: (AttemptID) -> Attempt) -> AttemptID {
        starts += 1
        precondition(seats.next < 1 << Self.seatBits)
        let id = starts << Self.seatBits | UInt64(seats.next)
        seats.insert(attempt(id))
        return id
    }

    /// Nil when it is over. Setting does nothing then.
    subscript(id: AttemptID) -> Attempt? {
        get { held(id).flatMap { seats.values[$0] } }
        set { if let seat = held(id), newValue != nil { seats.values[seat] = newValue } }
    }

    /// Nil when it was over already.
    mutating func remove(_ id: AttemptID) -> Attempt? {
        held(id).map { seats.remove($0) }
    }

    private func held(_ id: AttemptID) -> Int? {
        let seat = Self.seat(of: id)
        return seat < seats.values.count && seats.values[seat]?.id == id ? seat : nil
    }
}
