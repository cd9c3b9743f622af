/// Decided fingerprints, packed: open addressing with linear probing, 24 bytes a slot, at most three quarters full,
/// so 32 bytes an entry when it is full.
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

    private static let timeStep: Int64 = 10_000
    private var slots: [Slot]
    private var wide: [Fingerprint: Entry] = [:]
    private var used = 0
    /// Times are kept relative to the first one seen.
    private var base: Int64?

    init() { slots = Array(repeating: Slot(), count: 64) }

    var count: Int { used + wide.count }
    var byteCount: Int { slots.count * MemoryLayout<Slot>.stride + wide.count * 64 }

    subscript(fingerprint: Fingerprint) -> Entry? {
        get {
            let index = find(fingerprint)
            if slots[index].packed != 0 { return unpack(slots[index].packed) }
            return wide.isEmpty ? nil : wide[fingerprint]
        }
        set {
            guard let entry = newValue else { return remove(fingerprint) }
            set(fingerprint, entry)
        }
    }

    private mutating func set(_ fingerprint: Fingerprint, _ entry: Entry) {
        guard let packed = pack(entry) else {
            remove(fingerprint)
            wide[fingerprint] = entry
            return
        }
        if !wide.isEmpty { wide[fingerprint] = nil }
        let index = find(fingerprint)
        if slots[index].packed == 0 {
            if (used + 1) * 4 > slots.count * 3 {
                resize(to: slots.count * 2) { _ in true }
                return set(fingerprint, entry)
            }
            used += 1
        }
        slots[index] = Slot(high: fingerprint.high, low: fingerprint.low, packed: packed)
    }

    /// Removal by rebuilding the run behind the slot (no tombstones, so look-ups never grow slower).
    private mutating func remove(_ fingerprint: Fingerprint) {
        wide[fingerprint] = nil
        var index = find(fingerprint)
        guard slots[index].packed != 0 else { return }
        slots[index] = Slot()
        used -= 1
        let mask = slots.count - 1
        index = (index + 1) & mask
        while slots[index].packed != 0 {
            let moved = slots[index]
            slots[index] = Slot()
            slots[find(Fingerprint(high: moved.high, low: moved.low))] = moved
            index = (index + 1) & mask
        }
    }

    /// Drops what is older than `cutoff`, in one pass; returns how many.
    mutating func evict(before cutoff: Timestamp) -> Int {
        let before = count
        wide = wide.filter { $0.value.time >= cutoff }
        var kept = 0
        for slot in slots where slot.packed != 0 && unpack(slot.packed).time >= cutoff { kept += 1 }
        var size = 64
        while kept * 4 > size * 3 / 2 { size *= 2 }
        resize(to: size) { $0.time >= cutoff }
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
        return Timestamp(milliseconds: base + Int64(times[index]) * Self.timeStep)
    }

    private mutating func resize(to size: Int, keeping: (Entry) -> Bool) {
        let old = slots
        slots = Array(repeating: Slot(), count: size)
        used = 0
        for slot in old where slot.packed != 0 && keeping(unpack(slot.packed)) {
            slots[find(Fingerprint(high: slot.high, low: slot.low))] = slot
            used += 1
        }
    }

    /// The slot of the fingerprint, or the empty one where it belongs.
    private func find(_ fingerprint: Fingerprint) -> Int {
        let mask = slots.count - 1
        // A fingerprint is a hash already; a caller may choose one, so mix both halves.
        var index = Int(truncatingIfNeeded: (fingerprint.high ^ fingerprint.low &* 0x9e37_79b9_7f4a_7c15) >> 7) & mask
        while slots[index].packed != 0 && (slots[index].low != fingerprint.low || slots[index].high != fingerprint.high)
        {
            index = (index + 1) & mask
        }
        return index
    }

    private mutating func pack(_ entry: Entry) -> UInt64? {
        let start = base ?? entry.time.milliseconds - (1 << 20) * Self.timeStep
        base = start
        let steps = (entry.time.milliseconds - start) / Self.timeStep
        guard entry.replay <= 0xffff, entry.turn <= 0xffff, (0...0xff_ffff).contains(steps) else { return nil }
        return UInt64(entry.outcome.rawValue) << 56 | UInt64(entry.replay) << 40 | UInt64(entry.turn) << 24
            | UInt64(steps)
    }

    private func unpack(_ packed: UInt64) -> Entry {
        Entry(
            outcome: Outcome(rawValue: UInt8(packed >> 56)) ?? .completed, replay: UInt32(packed >> 40 & 0xffff),
            turn: UInt32(packed >> 24 & 0xffff),
            time: Timestamp(milliseconds: (base ?? 0) + Int64(packed & 0xff_ffff) * Self.timeStep))
    }
}
