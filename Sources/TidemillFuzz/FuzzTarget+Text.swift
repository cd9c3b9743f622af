import Foundation
import Settings
import TaskModel

extension FuzzTarget {
    /// A ledger value; the fingerprint is the record's key and no part of it.
    static let ledger = FuzzTarget(name: "ledger") {
        let coordinate = Coordinate(fingerprint: fuzzFingerprint, replay: 1, turn: 2)
        let bodies: [LedgerRecord.Body] = [
            .leased(Lease(holder: "host-1/4f2a91c3", length: 30_000)), .released, .started(alone: true),
            .outcome(
                OutcomeDetail(.retrying, delay: 1200, nextAttempt: 3, startedAt: .epoch, code: "c", message: "m")),
            .outcome(OutcomeDetail(.dead, deathReason: .fatal, endedAt: .distantFuture)),
        ]
        return bodies.map {
            LedgerRecord(coordinate: coordinate, attempt: 2, laneHash: 7, worker: "host-1/4f2a91c3", body: $0)
                .encoded()
        }
    } run: { bytes throws(FuzzFinding) in
        let record: LedgerRecord
        do {
            record = try LedgerRecord(fingerprint: fuzzFingerprint, value: bytes)
        } catch { return .refused }
        let second = try? LedgerRecord(fingerprint: fuzzFingerprint, value: record.encoded())
        try FuzzFinding.require(second == record, "what was read is not read the same after it was written")
        return .read
    }

    /// The metadata of a commit, the bitmap of holes: eight bytes of offset, then the text.
    static let commit = FuzzTarget(name: "commit") {
        [[], [0], [3, 4, 900], Array(0..<400)].map { holes in
            offsetBytes(40)
                + CommitMetadata(highMark: 40 + 1000, holes: holes.map { 40 + Int64($0) }, isClean: true)
                .encoded(offset: 40).utf8
        }
    } run: { bytes throws(FuzzFinding) in
        let offset = bytes.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } & .max
        let text = String(decoding: bytes.dropFirst(8), as: UTF8.self)
        guard let value = CommitMetadata(offset: offset, metadata: text) else { return .refused }
        let isOrdered = zip(value.holes, value.holes.dropFirst()).allSatisfy { $0 < $1 }
        let isInside = value.holes.allSatisfy { $0 >= offset && $0 < value.highMark }
        try FuzzFinding.require(value.highMark >= offset && isOrdered && isInside, "holes outside or out of order")
        let second = CommitMetadata(offset: offset, metadata: value.encoded(offset: offset, limit: .max / 4))
        try FuzzFinding.require(second == value, "what was read is not read the same after it was written")
        return .read
    }

    /// The first byte chooses the dialect, the rest is the expression.
    static let cron = FuzzTarget(name: "cron") {
        let expressions: [(CronDialect, String)] = [
            (.unix, "*/5 22-2 1,15 JAN-MAR FRI-MON"), (.unix, "0 0 L-3 * FRI#2"), (.unix, "H H(9-17) LW 2 *"),
            (.unix, "@hourly"), (.unix, "0 0 29 2 *"), (.quartz, "0 0/15 8-18 ? * MON-FRI 2026-2030"),
            (.quartz, "0 0 12 15W * ?"), (.quartz, "0 30 2 ? 3 7L"),
            (.fields, "hour=9 minute=0 day_of_week=mon-fri"), (.fields, "year=2028 month=2 day=29 second=*/7"),
        ]
        return expressions.map { [UInt8(CronDialect.allCases.firstIndex(of: $0) ?? 0)] + $1.utf8 }
    } run: { bytes throws(FuzzFinding) in
        let dialect = CronDialect.allCases[Int(bytes.first ?? 0) % CronDialect.allCases.count]
        let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
        let cron: CronTrigger
        do {
            cron = try CronTrigger(text, zone: "Europe/Berlin", dialect: dialect, spread: "fuzz")
        } catch { return .refused }
        for time in fuzzTimes {
            guard let next = cron.next(after: time) else { continue }
            try FuzzFinding.require(next > time, "a fire is not after the instant it was asked for")
        }
        let second = try? CronExpression(cron.expression.source, dialect: dialect, spread: "fuzz")
        try FuzzFinding.require(second == cron.expression, "the expression's own text is another expression")
        return .read
    }

    /// The JSON of a trigger, as schedules hold it.
    static let trigger = FuzzTarget(name: "trigger") {
        let hourly = try Trigger.every(milliseconds: 3_600_000, anchor: .epoch, delay: 5, first: .wait, repetitions: 9)
        let cron = try Trigger.cron("30 2 * * *", zone: "Europe/Berlin", spread: "a")
        let triggers: [Trigger] = [
            hourly, cron, try .at("2026-11-21T09:30:00Z"), .anyOf([hourly, cron]), .allOf([cron, hourly]), .never,
            .except(cron, [.range(from: .epoch, until: Timestamp(seconds: 60)), .trigger(hourly)]),
            .calendar(
                try CalendarTrigger(
                    every: 1, .months, from: LocalDate(day: 20_484), at: "09:30", zone: "Europe/Berlin")),
        ]
        return triggers.map { CanonicalJSON.encode($0) }
    } run: { bytes throws(FuzzFinding) in
        guard let trigger = try decoded(Trigger.self, bytes) else { return .refused }
        for time in fuzzTimes {
            guard let next = trigger.next(after: time) else { continue }
            try FuzzFinding.require(next > time, "a fire is not after the instant it was asked for")
        }
        let second = try decoded(Trigger.self, CanonicalJSON.encode(trigger))
        try FuzzFinding.require(second == trigger, "what was read is not read the same after it was written")
        return .read
    }

    /// Our own reader of JSON, and Foundation's behind it.
    static let json = FuzzTarget(name: "json") {
        [
            #"{"b":[1,2.5e3,-0,1e400],"a":{"é":"\u00e9\ud83d\ude00","":null},"c":[true,false,[[]]]}"#,
            #"[18446744073709551616,1e-7,123456789012345678901234567890,"\b\f\n\r\t\/"]"#,
        ].map { Array($0.utf8) }
    } run: { bytes throws(FuzzFinding) in
        guard let canonical = CanonicalJSON.canonical(bytes) else {
            try FuzzFinding.require(try decoded(AnyJSON.self, bytes) == nil, "no JSON, but it was decoded")
            return .refused
        }
        try FuzzFinding.require(CanonicalJSON.canonical(canonical) == canonical, "the canonical form has another one")
        _ = try decoded(AnyJSON.self, bytes)
        return .read
    }

    /// A configuration file; after a zero byte, lines `NAME=value` of the environment.
    static let configuration = FuzzTarget(name: "configuration") {
        let folder = "schemas/examples"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let environment = "TIDEMILL_WORKER__CONCURRENCY=8\nTIDEMILL_QUEUES__BULK={weight: 2}\nA=${A:-b}"
        return try files.filter { $0.hasSuffix(".yaml") }.flatMap { file in
            let text = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
            return [text, text + [0] + environment.utf8]
        }
    } run: { bytes throws(FuzzFinding) in
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let lines = String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self).split(separator: "\n")
        // What the examples ask for; a line may replace it.
        var environment = ["REPORT_TOKEN": "r", "SYNC_TOKEN": "s", "KAFKA_PASSWORD": "p"]
        for line in lines {
            guard let sign = line.firstIndex(of: "=") else { continue }
            environment[String(line[..<sign])] = String(line[line.index(after: sign)...])
        }
        do throws(ConfigurationError) {
            _ = try Configuration.load(
                text: Array(parts[0]), file: "fuzz.yaml", directory: ".", environment: environment)
            return .read
        } catch {
            try FuzzFinding.require(!error.issues.isEmpty, "refused without a reason")
            return .refused
        }
    }

    /// Nil when it was refused; anything but a `DecodingError` is a finding.
    private static func decoded<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8]
    ) throws(FuzzFinding) -> Value? {
        do {
            return try CanonicalJSON.decode(type, from: bytes)
        } catch {
            try FuzzFinding.require(error is DecodingError, "refused with \(error)")
            return nil
        }
    }

    private static func offsetBytes(_ offset: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: offset >> (56 - 8 * $0)) }
    }
}

private let fuzzFingerprint = Fingerprint(high: 1, low: 2)
/// Before, at and after what people write, and the ends of time.
private let fuzzTimes = [
    Timestamp(milliseconds: .min), .epoch, Timestamp(seconds: 1_795_253_400), Timestamp(seconds: 7_258_118_399),
    .distantFuture - 1,
]

/// Takes every JSON.
private struct AnyJSON: Decodable {
    init(from decoder: any Decoder) throws {
        if let object = try? decoder.singleValueContainer().decode([String: AnyJSON].self) {
            _ = object
        } else if let array = try? decoder.singleValueContainer().decode([AnyJSON].self) {
            _ = array
        } else if let number = try? decoder.singleValueContainer().decode(Double.self) {
            _ = number
        } else if let number = try? decoder.singleValueContainer().decode(Int64.self) {
            _ = number
        } else {
            _ = try? decoder.singleValueContainer().decode(String.self)
        }
    }
}
