/// Decided fingerprints, packed: open addressing with linear probing, 24 bytes a slot, at most 85 % full. It grows by an
/// eighth, so beyond the first few an entry costs 28 to 32 bytes; between two evictions it only grows.
///
/// An entry packs outcome, replay, turn and the broker time in steps of ten seconds. What does not fit 16 bits of replay
/// or turn is kept in a dictionary beside it: rare, and still exact.
struct DecidedTable: Sendable {
    struct Entry: Hashable, Sendable {
        var outcome: Outcome
        var replay: UInt32
        var turn: UInt32
        /// Broker time of the outcome, rounded down to ten seconds.
        var time: Timestamp
    }

    private struct Slot {
        var high: UInt64 = 0
        var low: UInt64 = 0
        /// outcome:8 replay:16 turn:16 time:24; 0 is an empty slot (no outcome is 0).
        var packed: UInt64 = 0
    }

    /// Milliseconds: how finely times are kept.
    static let timeStep: Int64 = 10_000
    private var slots: [Slot]
    private var wide: [Fingerprint: Entry] = [:]
    private var used = 0
    /// Times are kept relative to the first one seen.
    private var base: Int64?

    init() { slots = Array(repeating: Slot(), count: Self.minimumSlots) }

    var count: Int { used + wide.count }
    var byteCount: Int { slots.count * MemoryLayout<Slot>.stride + wide.count * 64 }

    /// A fingerprint's slot, or the empty one where it belongs: a look-up that need not be made again. Good until the table
    /// changes.
    struct Place {
        let fingerprint: Fingerprint
        fileprivate let index: Int
    }

    func place(of fingerprint: Fingerprint) -> Place { Place(fingerprint: fingerprint, index: find(fingerprint)) }

    subscript(fingerprint: Fingerprint) -> Entry? {
        get { self[place(of: fingerprint)] }
        set { self[place(of: fingerprint)] = newValue }
    }

    subscript(place: Place) -> Entry? {
        get {
            let packed = slots[place.index].packed
            if packed != 0 { return Self.unpack(packed, base) }
            return wide.isEmpty ? nil : wide[place.fingerprint]
        }
        set {
            guard let entry = newValue else { return remove(place) }
            set(place, entry)
        }
    }

    private mutating func set(_ place: Place, _ entry: Entry) {
        guard let packed = pack(entry) else {
            remove(place)
            wide[place.fingerprint] = entry
            return
        }
        if !wide.isEmpty { wide[place.fingerprint] = nil }
        var index = place.index
        if slots[index].packed == 0 {
            if used + 1 > Self.capacity(ofSlots: slots.count) {
                rebuild(of: slots, slots: slots.count + slots.count / 8)
                index = find(place.fingerprint)
            }
            used += 1
        }
        slots[index] = Slot(high: place.fingerprint.high, low: place.fingerprint.low, packed: packed)
    }

    /// Removal by rebuilding the run behind the slot (no tombstones, so look-ups never grow slower).
    private mutating func remove(_ place: Place) {
        if !wide.isEmpty { wide[place.fingerprint] = nil }
        var index = place.index
        guard slots[index].packed != 0 else { return }
        slots[index] = Slot()
        used -= 1
        index = self.index(after: index)
        while slots[index].packed != 0 {
            let moved = slots[index]
            slots[index] = Slot()
            slots[find(Fingerprint(high: moved.high, low: moved.low))] = moved
            index = self.index(after: index)
        }
    }

    /// Drops what is older than `cutoff` for certain (its time is rounded down), in one pass; returns how many.
    mutating func evict(before cutoff: Timestamp) -> Int {
        let before = count
        func isKept(_ entry: Entry) -> Bool { entry.time + Self.timeStep > cutoff }
        wide = wide.filter { isKept($0.value) }
        let base = base
        // Filtered on the way: a copy of what stays would be as large as the table.
        let kept = slots.lazy.filter { $0.packed != 0 && isKept(Self.unpack($0.packed, base)) }
        let left = kept.count
        if left < used { rebuild(of: kept, slots: max(Self.minimumSlots, left * 4 / 3 + 1)) }
        return before - count
    }

    /// The time that about `share` (0 ... 1) of the entries are older than; nil when empty.
    func age(ofOldest share: Double) -> Timestamp? {
        var times: [UInt32] = []
        times.reserveCapacity(used)
        for slot in slots where slot.packed != 0 { times.append(UInt32(slot.packed & 0xff_ffff)) }
        guard !times.isEmpty, let base else { return nil }
        times.sort()
        let index = min(times.count - 1, Int(Double(times.count) * share))
        return Timestamp(milliseconds: base) + Int64(times[index]) * Self.timeStep
    }

    /// Each is in `old` once, so its place is the first empty one; both tables are passed through in order.
    private mutating func rebuild(of old: some Sequence<Slot>, slots size: Int) {
        var moved = 0
        slots = Array(repeating: Slot(), count: size)
        slots.withUnsafeMutableBufferPointer { new in
            for slot in old where slot.packed != 0 {
                var index = Self.home(high: slot.high, low: slot.low, slots: size)
                while new[index].packed != 0 { index = index + 1 == size ? 0 : index + 1 }
                new[index] = slot
                moved += 1
            }
        }
        used = moved
    }

    private static let minimumSlots = 64
    private static func capacity(ofSlots count: Int) -> Int { count * 85 / 100 }

    private func index(after index: Int) -> Int { index + 1 == slots.count ? 0 : index + 1 }

    /// Where the search for a fingerprint begins.
    private static func home(high: UInt64, low: UInt64, slots: Int) -> Int {
        // A fingerprint is a hash already; a caller may choose one, so both halves are mixed. The high bits decide.
        var mixed = (high ^ (low << 32 | low >> 32)) &* 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 32) &* 0xbf58_476d_1ce4_e5b9
        return Int(mixed.multipliedFullWidth(by: UInt64(slots)).high)
    }

    /// The slot of the fingerprint, or the empty one where it belongs.
    private func find(_ fingerprint: Fingerprint) -> Int {
        var index = Self.home(high: fingerprint.high, low: fingerprint.low, slots: slots.count)
        while slots[index].packed != 0 && (slots[index].low != fingerprint.low || slots[index].high != fingerprint.high)
        {
            index = self.index(after: index)
        }
        return index
    }

    private mutating func pack(_ entry: Entry) -> UInt64? {
        let start = base ?? (entry.time - (1 << 20) * Self.timeStep).milliseconds
        base = start
        let steps = (entry.time - Timestamp(milliseconds: start)).flooredDivision(by: Self.timeStep).quotient
        guard entry.replay <= 0xffff, entry.turn <= 0xffff, (0...0xff_ffff).contains(steps) else { return nil }
        return UInt64(entry.outcome.rawValue) << 56 | UInt64(entry.replay) << 40 | UInt64(entry.turn) << 24
            | UInt64(steps)
    }

    private static func unpack(_ packed: UInt64, _ base: Int64?) -> Entry {
        Entry(
            outcome: Outcome(rawValue: UInt8(packed >> 56)) ?? .completed, replay: UInt32(packed >> 40 & 0xffff),
            turn: UInt32(packed >> 24 & 0xffff),
            time: Timestamp(milliseconds: base ?? 0) + Int64(packed & 0xff_ffff) * timeStep)
    }
}
