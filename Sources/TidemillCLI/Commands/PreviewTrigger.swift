import Settings
import TaskModel

/// A trigger as options of the command line.
enum PreviewTrigger {
    private static let section = "Trigger"

    static let options: [OptionSpec] = [
        .value("cron", .text, "A cron expression", section: section),
        .value("dialect", .choice(of: CronDialect.self), "How to read it", default: "unix", section: section),
        .value("interval", .duration, "Every so often", section: section),
        .value("anchor", .time, "Where the interval begins", default: "the epoch", section: section),
        .value("at", .text, "Once: RFC 3339, or a local time in --time-zone", section: section),
        .value("calendar", .text, "Such as \"every 2 months from 2026-01-31 at 09:30\"", section: section),
        .value("time-zone", .text, "IANA name, also for what is shown", default: "UTC", section: section),
        .value("gap", .choice(of: ClockChanges.Gap.self), "Rule for local times passed over", section: section),
        .value("overlap", .choice(of: ClockChanges.Overlap.self), "Rule for those that come twice", section: section),
    ]

    private static let kinds = ["cron", "interval", "at", "calendar"]

    static func isGiven(_ arguments: ParsedArguments) -> Bool { kinds.contains(where: arguments.has) }

    /// The trigger of the command line; `spread` is what `H` is spread by. Nil when none is given.
    static func read(_ arguments: ParsedArguments, spread: String?, now: Timestamp) throws -> Trigger? {
        let given = kinds.filter(arguments.has)
        guard let kind = given.first else { return nil }
        guard given.count == 1 else { throw arguments.usage("--\(kind) and --\(given[1]) exclude each other") }
        let changes = ClockChanges(
            gap: try arguments.choice("gap"), overlap: try arguments.choice("overlap"))
        let zone = arguments.text("time-zone")
        do throws(TriggerError) {
            switch kind {
            case "cron":
                return try Trigger.cron(
                    arguments.text("cron") ?? "", zone: zone ?? "UTC", dialect: dialect(arguments), spread: spread,
                    changes: changes)
            case "at": return try Trigger.at(arguments.text("at") ?? "", zone: zone)
            case "calendar":
                return Trigger.calendar(
                    try calendar(arguments.text("calendar") ?? "", zone: zone ?? "UTC", changes: changes))
            default: break
            }
        } catch {
            throw arguments.usage("--\(error.field == "timezone" ? "time-zone" : kind): \(error.message)")
        }
        let length = try arguments.milliseconds("interval") ?? 0
        do throws(TriggerError) {
            return try Trigger.every(milliseconds: length, anchor: anchor(arguments, now))
        } catch {
            throw arguments.usage("--interval: \(error.message)")
        }
    }

    /// The zone in which fires are shown: the trigger's own, else that of the command line, else UTC.
    static func zone(_ arguments: ParsedArguments, of trigger: Trigger) throws -> ZoneTable {
        if let zone = trigger.zone { return zone }
        do throws(TriggerError) {
            return try ZoneTable(arguments.text("time-zone") ?? "UTC")
        } catch {
            throw arguments.usage("--time-zone: \(error.message)")
        }
    }

    private static func dialect(_ arguments: ParsedArguments) -> CronDialect {
        arguments.text("dialect").flatMap(CronDialect.init) ?? .unix
    }

    private static func anchor(_ arguments: ParsedArguments, _ now: Timestamp) -> Timestamp? {
        // The parser has checked it.
        try? arguments.time("anchor", now: now)
    }

    /// `every 2 months from 2026-01-31 at 09:30`, as the list of schedules shows it.
    private static func calendar(
        _ text: String, zone: String, changes: ClockChanges
    ) throws(TriggerError) -> CalendarTrigger {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 7, words[0] == "every", words[3] == "from", words[5] == "at", let every = Int(words[1]),
            let unit = CalendarTrigger.Unit(rawValue: words[2]), let start = LocalDate(words[4])
        else {
            throw TriggerError(
                field: "calendar",
                message: "\"\(text.prefix(60))\" is not such as \"every 2 months from 2026-01-31 at 09:30\"; units are "
                    + CalendarTrigger.Unit.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return try CalendarTrigger(every: every, unit, from: start, at: words[6], zone: zone, changes: changes)
    }
}
