internal import TaskModel

/// Reads the keys that say when: of a schedule, and of the parts of a trigger that is made of others.
struct TriggerLoading {
    typealias Trigger = TaskModel.Trigger

    /// What `H` is spread by: the schedule's id.
    let spread: String
    /// The zone of the schedule, for parts that name none.
    var timeZone: String?
    /// How to meet the days on which the clocks change.
    var changes = ClockChanges.debian

    /// The keys of which one must be written.
    static let kinds = ["cron", "interval", "at", "calendar", "any_of", "all_of"]
    /// All keys that belong to the trigger but are no text of their own, in the order in which they are shown.
    static let shownAsJSON = [
        "cron", "dialect", "interval", "anchor", "delay", "first", "repetitions", "calendar", "any_of", "all_of",
        "clock_changes", "except",
    ]

    /// The trigger and how people read it; nil when something is wrong, which has been reported.
    func read(_ reader: inout SectionReader) -> (trigger: Trigger, text: String)? {
        var loading = self
        let zone = reader.value("time_zone", .timeZone)
        loading.timeZone = zone ?? timeZone
        if let changes = Self.clockChanges(&reader) { loading.changes = changes }
        let isZoneRefused = reader.has("time_zone") && zone == nil
        let read = loading.kind(&reader, isZoneRefused: isZoneRefused)
        let exclusions = reader.sections(of: "except") { loading.exclusion(&$0) }
        let isIntervalAlone = reader.has("interval") && !reader.has("except")
        if zone != nil, isIntervalAlone { reader.report("time_zone", "means nothing beside `interval`") }
        guard let read, !isZoneRefused else { return nil }
        guard reader.has("except") else { return read }
        guard let exclusions else { return nil }
        let trigger = Trigger.except(read.trigger, exclusions)
        if let problem = trigger.problem {
            reader.report("except", problem.message)
            return nil
        }
        return (trigger, "\(read.text), except \(exclusions.count)")
    }

    private static func clockChanges(_ reader: inout SectionReader) -> ClockChanges? {
        reader.optionalSection("clock_changes") { section in
            ClockChanges(gap: section.value("gap", .choice), overlap: section.value("overlap", .choice))
        }
    }

    private func kind(_ reader: inout SectionReader, isZoneRefused: Bool) -> (trigger: Trigger, text: String)? {
        let written = Self.kinds.filter(reader.has)
        if written.isEmpty { reader.report("has no trigger; give one of `cron`, `interval` and `at`") }
        if written.count > 1 {
            reader.report(written[1], "stands beside `\(written[0])`; a schedule has one trigger")
            for key in Self.shownAsJSON + ["at"] { reader.ignore(key) }
            return nil
        }
        let cron = cron(&reader, isZoneRefused: isZoneRefused)
        let interval = interval(&reader)
        let at = reader.value("at", .text).flatMap { text in
            trigger("at", reader, isZoneRefused) { () throws(TriggerError) in
                let at = try Trigger.at(text, zone: timeZone)
                return (at, "at \(text)" + zoneText)
            }
        }
        let calendar = calendar(&reader)
        let anyOf = parts("any_of", &reader).map { (trigger: Trigger.anyOf($0), text: "any of \($0.count)") }
        let allOf = parts("all_of", &reader).map { (trigger: Trigger.allOf($0), text: "all of \($0.count)") }
        return cron ?? interval ?? at ?? calendar ?? anyOf ?? allOf
    }

    private var zoneText: String { timeZone.map { " (\($0))" } ?? "" }

    /// Makes a trigger, and reports why it is refused at `key`. A zone that was refused has been reported; the trigger could
    /// only be refused for the lack of it.
    private func trigger(
        _ key: String, _ reader: SectionReader, _ isZoneRefused: Bool,
        _ make: () throws(TriggerError) -> (Trigger, String)
    ) -> (trigger: Trigger, text: String)? {
        guard !isZoneRefused else { return nil }
        do throws(TriggerError) {
            return try make()
        } catch {
            reader.report(error.field == "timezone" ? "time_zone" : key, error.message)
            return nil
        }
    }

    // MARK: kinds

    /// A text in a dialect, or a mapping of fields.
    private func cron(_ reader: inout SectionReader, isZoneRefused: Bool) -> (trigger: Trigger, text: String)? {
        let dialect: CronDialect? = reader.value("dialect", .choice)
        let expression: String?
        let isMapping = reader.isMapping("cron")
        if isMapping || reader.context.isCatalogue {
            let fields = reader.optionalSection("cron") { section -> [String]? in
                let keys = ["year", "month", "day", "day_of_week", "hour", "minute", "second"]
                return keys.compactMap { key in section.value(key, .field).map { "\(key)=\($0)" } }
            }
            expression = fields?.joined(separator: " ")
            if let dialect, dialect != .fields, isMapping {
                reader.report("dialect", "is \(dialect.rawValue), and `cron` is a mapping of fields")
            }
        } else {
            expression = reader.value("cron", .text)
        }
        guard let expression, reader.has("cron") else {
            if reader.has("dialect"), !reader.has("cron") { reader.report("dialect", "means nothing without `cron`") }
            return nil
        }
        return trigger("cron", reader, isZoneRefused) { () throws(TriggerError) in
            let trigger = try Trigger.cron(
                expression, zone: timeZone ?? "UTC", dialect: isMapping ? .fields : dialect ?? .unix, spread: spread,
                changes: changes)
            return (trigger, expression + zoneText)
        }
    }

    /// An empty interval disables the schedule.
    private func interval(_ reader: inout SectionReader) -> (trigger: Trigger, text: String)? {
        let isEmpty = reader.isEmpty("interval")
        let length = isEmpty ? nil : reader.value("interval", .duration(100...100 * Limits.year))
        let interval = IntervalTrigger(
            milliseconds: length ?? 1000, anchor: reader.value("anchor", .instant),
            delay: reader.value("delay", .duration(0...100 * Limits.year)) ?? 0,
            first: reader.value("first", .choice) ?? .immediately,
            repetitions: reader.value("repetitions", .integer(1...Int(Int32.max))))
        if isEmpty {
            reader.ignore("interval")
            return (.never, "never")
        }
        guard let length else {
            for key in ["anchor", "delay", "first", "repetitions"] where reader.has(key) && !reader.has("interval") {
                reader.report(key, "means nothing without `interval`")
            }
            return nil
        }
        if let problem = interval.problem {
            // An anchor that was refused has been reported.
            if !reader.has("anchor") { reader.report(problem.field, problem.message + "; give `anchor`") }
            return nil
        }
        return (.interval(interval), "every " + DurationText.format(.milliseconds(length)))
    }

    private func calendar(_ reader: inout SectionReader) -> (trigger: Trigger, text: String)? {
        reader.optionalSection("calendar") { section in
            let every = section.value("every", .integer(1...1000)) ?? 1
            let unit: CalendarTrigger.Unit? = section.required("unit", .choice)
            let from = section.required("from", .date)
            let time = section.required("at", .text)
            guard let unit, let from, let time else { return nil }
            return trigger("at", section, false) { () throws(TriggerError) in
                let calendar = try CalendarTrigger(
                    every: every, unit, from: from, at: time, zone: timeZone ?? "UTC", changes: changes)
                return (.calendar(calendar), "every \(every) \(unit.rawValue) from \(from) at \(time)" + zoneText)
            }
        }
    }

    private func parts(_ key: String, _ reader: inout SectionReader) -> [Trigger]? {
        guard let parts = reader.sections(of: key, { self.read(&$0)?.trigger }) else { return nil }
        if let problem = Trigger.anyOf(parts).problem {
            reader.report(key, problem.message)
            return nil
        }
        return parts
    }

    /// Dates, a range, or a trigger.
    private func exclusion(_ reader: inout SectionReader) -> Exclusion? {
        if reader.has("dates") {
            let dates = reader.list("dates", of: .date)
            let zone = reader.value("time_zone", .timeZone) ?? timeZone ?? "UTC"
            guard let dates, let table = try? ZoneTable(zone) else { return nil }
            return .dates(Set(dates), zone: table)
        }
        if reader.has("from") || reader.has("until") {
            guard let from = reader.required("from", .instant), let until = reader.required("until", .instant) else {
                return nil
            }
            return .range(from: from, until: until)
        }
        return read(&reader).map { .trigger($0.trigger) }
    }
}

extension ScalarSyntax where Value == String {
    /// A field of cron: a number may stand without quotes.
    fileprivate static var field: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard !text.isEmpty, !text.contains(where: { $0 == " " || $0 == "=" }) else {
                throw TextError("is no field of cron such as 5, */10 or mon-fri")
            }
            return text
        }
    }
}

extension ScalarSyntax where Value == LocalDate {
    fileprivate static var date: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard let date = LocalDate(text) else { throw TextError("is no date such as 2026-12-25") }
            return date
        }
    }
}

extension ScalarSyntax where Value == Timestamp {
    static var instant: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard let time = Timestamp(rfc3339: text) else {
                throw TextError("is not an RFC 3339 time such as 2027-01-01T09:00:00Z")
            }
            return time
        }
    }
}
