import Foundation
import TaskModel

/// How previewed fires are shown.
enum PreviewReport {
    /// The JSON of a bare trigger: nothing but the fires.
    struct Fires: Encodable {
        struct Fire: Encodable {
            var local: String
            var utc: String
        }

        var fires: [Fire]

        init(_ fires: [PreviewFire], _ zone: ZoneTable) {
            self.fires = fires.map { Fire(local: zone.rfc3339($0.nominal), utc: $0.nominal.rfc3339) }
        }
    }

    /// The JSON of a schedule, or of an edit of it.
    struct Schedule: Encodable {
        struct Fire: Encodable {
            var local: String
            var utc: String
            /// With the jitter, where it differs.
            var due: String?
            /// What a change of the clocks did to it.
            var clockChange: String?
            /// Of an edit: kept, added or removed.
            var change: String?

            enum CodingKeys: String, CodingKey {
                case local, utc, due, change
                case clockChange = "clock_change"
            }

            init(_ fire: PreviewFire, _ zone: ZoneTable, change: PreviewedEdit.Change? = nil) {
                local = zone.rfc3339(fire.nominal)
                utc = fire.nominal.rfc3339
                due = fire.due == fire.nominal ? nil : fire.due.rfc3339
                clockChange = fire.clockChange?.kind.rawValue
                self.change = change?.rawValue
            }
        }

        struct ClockChange: Encodable {
            var at: String
            var timeZone: String
            var jumpSeconds: Int64
            var effect: String
            var rule: String
            var isDefault: Bool
            /// Local times without an offset: they do not occur, or occur twice.
            var firstLocal: String
            var lastLocal: String
            var count: Int
            var fires: [String]

            enum CodingKeys: String, CodingKey {
                case at, effect, rule, count, fires
                case timeZone = "time_zone"
                case jumpSeconds = "jump_seconds"
                case isDefault = "default_rule"
                case firstLocal = "first_local"
                case lastLocal = "last_local"
            }

            init(_ effect: ClockChangeEffect) {
                at = effect.at.rfc3339
                timeZone = effect.zone.identifier
                jumpSeconds = effect.jump
                self.effect = effect.kind.rawValue
                rule = effect.kind.rule
                isDefault = effect.isDefault
                firstLocal = PreviewReport.wall(effect.firstWall)
                lastLocal = PreviewReport.wall(effect.lastWall)
                count = effect.count
                fires = effect.fires.map(\.rfc3339)
            }
        }

        var schedule: String
        var timeZone: String
        var fires: [Fire]
        var clockChanges: [ClockChange]

        enum CodingKeys: String, CodingKey {
            case schedule, fires
            case timeZone = "time_zone"
            case clockChanges = "clock_changes"
        }
    }

    static func show(_ fires: [PreviewFire], _ zone: ZoneTable, _ output: CommandOutput) {
        let hasJitter = fires.contains { $0.due != $0.nominal }
        var columns: [TableFormatter.Column] = [.init("LOCAL (\(zone.identifier))"), .init("UTC")]
        if hasJitter { columns.append(.init("DUE")) }
        columns.append(.init("CLOCKS", isFlexible: true))
        var table = TableFormatter(columns: columns)
        for fire in fires {
            var cells: [TableFormatter.Cell] = [.init(zone.rfc3339(fire.nominal)), .init(fire.nominal.rfc3339)]
            if hasJitter { cells.append(.init(fire.due.rfc3339)) }
            cells.append(mark(fire))
            table.add(cells)
        }
        output.writeTable(table)
    }

    static func show(_ edits: [PreviewedEdit], _ zone: ZoneTable, _ output: CommandOutput) {
        var table = TableFormatter(columns: [
            .init(""), .init("LOCAL (\(zone.identifier))"), .init("UTC"), .init("CLOCKS", isFlexible: true),
        ])
        for edit in edits {
            let sign: TableFormatter.Cell =
                switch edit.change {
                case .kept: " "
                case .added: .init("+", .good)
                case .removed: .init("-", .bad)
                }
            table.add([
                sign, .init(zone.rfc3339(edit.fire.nominal)), .init(edit.fire.nominal.rfc3339), mark(edit.fire),
            ])
        }
        output.writeTable(table)
        let added = edits.count { $0.change == .added }
        let removed = edits.count { $0.change == .removed }
        output.write("\(added) added, \(removed) removed, \(edits.count - added - removed) kept\n")
    }

    /// One line for each change of the clocks that matters.
    static func show(_ effects: [ClockChangeEffect], _ output: CommandOutput) {
        if !effects.isEmpty { output.write("\n") }
        for effect in effects { output.write(describe(effect) + "\n") }
    }

    private static func mark(_ fire: PreviewFire) -> TableFormatter.Cell {
        guard let effect = fire.clockChange else { return "" }
        return .init("\(effect.kind.rawValue) (\(effect.kind.rule))", .warning)
    }

    /// `2026-03-29, clocks 1h forward: 02:30 is passed over and runs at 03:00 (gap: run-after, Debian's rule)`.
    static func describe(_ effect: ClockChangeEffect) -> String {
        let date = wall(effect.firstWall).prefix(10)
        let direction = effect.isGap ? "forward" : "back"
        let times =
            effect.count == 1
            ? clock(effect.firstWall) : "\(effect.count) times, \(clock(effect.firstWall)) to \(clock(effect.lastWall))"
        let (verb, plural) = effect.count == 1 ? ("is", "runs") : ("are", "run")
        let what =
            switch effect.kind {
            case .moved: "\(verb) passed over and \(plural) once at \(local(effect.fires.first, effect.zone))"
            case .shifted: "\(verb) passed over and \(plural) later, from \(local(effect.fires.first, effect.zone)) on"
            case .skipped: "\(verb) passed over and \(effect.count == 1 ? "does" : "do") not run"
            case .first: "\(effect.count == 1 ? "occurs" : "occur") twice and \(plural) the first time"
            case .second: "\(effect.count == 1 ? "occurs" : "occur") twice and \(plural) the second time"
            case .both: "\(effect.count == 1 ? "occurs" : "occur") twice and \(plural) both times"
            }
        let whose = effect.isDefault ? "Debian's rule" : "the schedule's own rule"
        return "\(date), clocks \(Words.duration(abs(effect.jump) * 1000)) \(direction): \(times) \(what) "
            + "(\(effect.kind.rule), \(whose))"
    }

    /// A local time without an offset.
    private static func wall(_ seconds: Int64) -> String {
        String(Timestamp(seconds: seconds).rfc3339.dropLast())
    }

    private static func clock(_ seconds: Int64) -> String {
        let text = wall(seconds).dropFirst(11)
        return String(text.hasSuffix(":00") ? text.prefix(5) : text.prefix(8))
    }

    private static func local(_ time: Timestamp?, _ zone: ZoneTable) -> String {
        time.map { String(zone.rfc3339($0).dropFirst(11).prefix(5)) } ?? "-"
    }
}
