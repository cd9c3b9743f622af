import Foundation
import Synchronization

/// The offsets of a time zone as a table: what a trigger needs, without asking a calendar at every step.
///
/// Covers 1970 to 2200 and is made once per zone and process; after that the last offset holds.
public struct ZoneTable: Sendable {
    public let identifier: String
    /// UTC seconds at which an offset begins to hold, ascending; the first one begins at `Int64.min`.
    let starts: [Int64]
    /// Seconds to add to UTC.
    let offsets: [Int64]

    private static let cache = Mutex<[String: ZoneTable]>([:])
    private static let lastCovered = Date(timeIntervalSince1970: 7_258_118_400)

    /// Takes IANA names with an area (`Europe/Berlin`), `UTC` and `GMT`. Abbreviations and offsets are refused:
    /// the first are ambiguous, the second know no summer time.
    public init(_ identifier: String) throws(TriggerError) {
        if let known = Self.cache.withLock({ $0[identifier] }) {
            self = known
            return
        }
        let hasName = identifier.contains("/") || identifier == "UTC" || identifier == "GMT"
        guard hasName, let zone = TimeZone(identifier: identifier) else {
            throw TriggerError(field: "timezone", message: Self.refusal(of: identifier))
        }
        let table = ZoneTable(identifier, zone)
        Self.cache.withLock { $0[identifier] = table }
        self = table
    }

    private init(_ identifier: String, _ zone: TimeZone) {
        var starts = [Int64.min]
        var time = Date(timeIntervalSince1970: 0)
        var offsets = [Self.offset(of: zone, at: time)]
        while let next = zone.nextDaylightSavingTimeTransition(after: time), next > time, next < Self.lastCovered {
            time = next
            let offset = Self.offset(of: zone, at: time)
            guard offset != offsets[offsets.count - 1] else { continue }
            starts.append(Int64(time.timeIntervalSince1970.rounded()))
            offsets.append(offset)
        }
        self.identifier = identifier
        self.starts = starts
        self.offsets = offsets
    }

    private static func offset(of zone: TimeZone, at time: Date) -> Int64 {
        Int64(zone.secondsFromGMT(for: time))
    }

    /// The index of the offset that holds at this UTC second.
    func index(at second: Int64) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= second { low = middle } else { high = middle }
        }
        return low
    }

    /// The first UTC second after offset `index`, or `Int64.max`.
    func end(of index: Int) -> Int64 { index + 1 < starts.count ? starts[index + 1] : .max }

    /// The instant of a local date-time given as milliseconds on the wall: the first of two, and for one that the
    /// clocks pass over the first instant after the gap.
    func instant(ofWall milliseconds: Int64) -> Timestamp {
        // No offset exceeds a day, so the search starts before any candidate.
        var index = index(at: milliseconds.flooredDivision(by: 1000).quotient - 86_400)
        while true {
            let time = milliseconds - offsets[index] * 1000
            if index > 0, time < starts[index] * 1000 { return Timestamp(milliseconds: starts[index] * 1000) }
            let end = end(of: index)
            if end == .max || time < end * 1000 { return Timestamp(milliseconds: time) }
            index += 1
        }
    }

    private static func refusal(of identifier: String) -> String {
        let nearest = TimeZone.knownTimeZoneIdentifiers
            .map { ($0, distance(Array(identifier.lowercased().utf8), Array($0.lowercased().utf8))) }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }
        let hint = nearest.flatMap { $0.1 <= max(2, identifier.utf8.count / 3) ? "; did you mean \($0.0)?" : nil }
        return "\"\(identifier.prefix(60))\" is no time zone; accepted are IANA names such as Europe/Berlin, and UTC"
            + (hint ?? "")
    }

    /// Levenshtein's distance.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard left.count <= 64 else { return .max }
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let cost = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = cost
            }
        }
        return row[right.count]
    }
}

extension ZoneTable: Hashable {
    public static func == (left: ZoneTable, right: ZoneTable) -> Bool { left.identifier == right.identifier }
    public func hash(into hasher: inout Hasher) { hasher.combine(identifier) }
}
