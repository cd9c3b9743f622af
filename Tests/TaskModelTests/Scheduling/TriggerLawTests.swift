import Testing

@testable import TaskModel

/// What holds for every trigger, on random ones.
struct TriggerLawTests {
    /// The times in `(start, end]`, at most so many.
    private func fires(_ trigger: Trigger, after start: Timestamp, through end: Timestamp, limit: Int = 400)
        -> [Timestamp]
    {
        var found: [Timestamp] = []
        var position = start
        while found.count < limit, let next = trigger.next(after: position), next <= end {
            // next(t) > t; without it the rest would not end.
            guard next > position else {
                Issue.record("\(trigger): \(next.rfc3339) is not after \(position.rfc3339)")
                break
            }
            found.append(next)
            position = next
        }
        return found
    }

    /// A start, and an end that a few dozen times lie before.
    private func stretch(_ trigger: Trigger, _ generate: inout Generate) -> (Timestamp, Timestamp) {
        let start = generate.instant()
        let reach = fires(trigger, after: start, through: .distantFuture, limit: 15).last
        return (start, min(reach ?? start + 1, start + 10 * 366 * 86_400_000))
    }

    @Test func twoStretchesAreOneStretch() throws {
        var generate = Generate(seed: 41)
        var total = 0
        for _ in 0..<80 {
            let trigger = generate.trigger()
            let (start, end) = stretch(trigger, &generate)
            let whole = fires(trigger, after: start, through: end)
            total += whole.count
            for _ in 0..<3 {
                let middle = Timestamp(
                    milliseconds: Int64.random(in: start.milliseconds...end.milliseconds, using: &generate.random))
                let parts = fires(trigger, after: start, through: middle) + fires(trigger, after: middle, through: end)
                #expect(parts == whole, "\(trigger) split at \(middle.rfc3339)")
            }
            let counted = trigger.occurrences(after: start, through: end, limit: 400)
            #expect(counted?.count ?? 0 == whole.count)
            #expect(counted?.first == whole.first && counted?.last == whole.last)
        }
        #expect(total > 600)
    }

    @Test func aUnionNamesWhatAnyNames() throws {
        var generate = Generate(seed: 42)
        for _ in 0..<25 {
            let parts = (0..<3).map { _ in generate.trigger(depth: 1) }
            let start = generate.instant()
            let all = parts.map { fires($0, after: start, through: .distantFuture, limit: 20) }
            // Up to where each of them is known.
            let end = zip(parts, all).compactMap { $1.count == 20 ? $1.last : nil }.min() ?? .distantFuture
            let expected = Set(all.joined()).filter { $0 <= end }.sorted()
            #expect(fires(.anyOf(parts), after: start, through: end) == expected)
            #expect(fires(.anyOf([parts[0]]), after: start, through: end) == all[0].filter { $0 <= end })
            #expect(
                fires(.anyOf([parts[2], .anyOf([parts[1], parts[0], parts[1]])]), after: start, through: end)
                    == expected)
        }
    }

    /// Hourly and half-hourly ones, so that they do meet.
    @Test func anIntersectionNamesWhatAllName() throws {
        var generate = Generate(seed: 43)
        var met = 0
        for _ in 0..<12 {
            let parts = try (0..<3).map { _ in
                try Trigger.cron(
                    "\(generate.element(["0", "*/30", "0,30"])) */\(generate.int(1...4)) * * *",
                    zone: generate.element(Generate.zones))
            }
            let start = generate.instant()
            let end = start + 8 * 86_400_000
            let all = parts.map { Set(fires($0, after: start, through: end, limit: .max)) }
            let expected = all[0].intersection(all[1]).intersection(all[2]).sorted()
            met += expected.count
            #expect(fires(.allOf(parts), after: start, through: end, limit: .max) == expected)
        }
        #expect(met > 100)
    }

    @Test func anExclusionTakesAwayWhatItNames() throws {
        var generate = Generate(seed: 44)
        for _ in 0..<12 {
            let base = try Trigger.cron("\(generate.element(["0", "*/20"])) */\(generate.int(1...3)) * * *")
            let other = try Trigger.cron("0 */\(generate.int(1...4)) * * *", zone: generate.element(Generate.zones))
            let start = generate.instant()
            let end = start + 8 * 86_400_000
            let zone = try ZoneTable(generate.element(Generate.zones))
            let dates = Set((0..<5).map { _ in LocalDate(day: zone.date(at: start).day + Int64(generate.int(0...8))) })
            let from = start + Int64(generate.int(0...4)) * 86_400_000
            let range = from..<(from + Int64(generate.int(1...100)) * 3_600_000)
            let exclusions: [Exclusion] = [
                .trigger(other), .dates(dates, zone: zone), .range(from: range.lowerBound, until: range.upperBound),
            ]
            let named = Set(fires(other, after: start - 1, through: end, limit: .max))
            let expected = fires(base, after: start, through: end, limit: .max).filter {
                !named.contains($0) && !dates.contains(zone.date(at: $0)) && !range.contains($0)
            }
            #expect(fires(.except(base, exclusions), after: start, through: end, limit: .max) == expected)
            let nested = exclusions.reduce(base) { .except($0, [$1]) }
            #expect(fires(nested, after: start, through: end, limit: .max) == expected)
            #expect(
                fires(.except(base, []), after: start, through: start + 86_400_000)
                    == fires(base, after: start, through: start + 86_400_000))
        }
    }

    /// What leaves out all of itself is searched for long, so once is enough.
    @Test func aTriggerWithoutItselfNeverFires() throws {
        let base = try Trigger.cron("*/20 * * * *")
        #expect(Trigger.except(base, [.trigger(base)]).next(after: .epoch) == nil)
    }

    /// Each instant of the inner trigger takes 604,800 steps, and the outer one asks for very many: years of search, each part
    /// of which is within its own limits.
    @Test(.timeLimit(.minutes(5))) func aSearchIsBoundedAsAWhole() throws {
        let second = try Trigger.cron("* * * * * ?", dialect: .quartz)
        let monday = try Trigger.cron("0 0 0 ? * MON", dialect: .quartz)
        let onlyMondays = Trigger.except(second, [.trigger(.except(second, [.trigger(monday)]))])
        let rare = try Trigger.every(milliseconds: 7 * 86_400_000, anchor: Timestamp(milliseconds: 1))
        #expect(Trigger.allOf([onlyMondays, rare]).next(after: .epoch) == nil)
    }

    @Test func whatNeverMeetsEnds() throws {
        let odd = try Trigger.every(milliseconds: 1000, anchor: Timestamp(milliseconds: 1))
        let even = try Trigger.every(milliseconds: 1000, anchor: Timestamp(milliseconds: 0))
        #expect(Trigger.allOf([odd, even]).next(after: .epoch) == nil)
        #expect(Trigger.never.next(after: .epoch) == nil)
        #expect(Trigger.anyOf([.never, .at(Timestamp(seconds: 5))]).next(after: .epoch) == Timestamp(seconds: 5))
    }

    /// Weekdays at nine, but not on the holidays of the place, nor in the works holidays.
    @Test func readsAsPeopleSayIt() throws {
        let berlin = try ZoneTable("Europe/Berlin")
        let trigger = try Trigger.except(
            .cron("0 9 * * mon-fri", zone: "Europe/Berlin"),
            [
                .dates([try #require(LocalDate("2026-12-25")), try #require(LocalDate("2027-01-01"))], zone: berlin),
                .range(from: time("2026-12-28T00:00:00Z"), until: time("2026-12-31T00:00:00Z")),
            ])
        let start = try time("2026-12-23T12:00:00Z")
        let found = fires(trigger, after: start, through: start + 14 * 86_400_000).map { String($0.rfc3339.prefix(10)) }
        #expect(found == ["2026-12-24", "2026-12-31", "2027-01-04", "2027-01-05", "2027-01-06"])
    }

    @Test func aRandomTriggerIsReadAsItWasWritten() throws {
        var generate = Generate(seed: 45)
        let schema = SchemaValidator(root: try Schemas.object("schedule-trigger-v1.schema.json"))
        for _ in 0..<100 {
            let trigger = generate.trigger()
            let json = CanonicalJSON.encode(trigger)
            #expect(try CanonicalJSON.decode(Trigger.self, from: json) == trigger)
            #expect(try schema.problems(#require(JSONValue(json))) == [])
        }
    }

    @Test(arguments: [
        #"{"version":1,"kind":"any_of","triggers":[]}"#,
        #"{"version":1,"kind":"interval","every_ms":1000,"repetitions":3}"#,
        #"{"version":1,"kind":"interval","every_ms":10}"#,
        #"{"version":1,"kind":"cron","dialect":"unix","expression":"H * * * *","timezone":"UTC"}"#,
        #"{"version":1,"kind":"cron","dialect":"unix","expression":"0 * * * *","timezone":"UTC","gap":"leap"}"#,
        #"{"version":1,"kind":"calendar","every":1,"unit":"months","start":"2026-02-30","time":"09:30","timezone":"UTC"}"#,
        #"{"version":1,"kind":"except","of":{"version":1,"kind":"never"},"exclusions":[{"from":5,"until":5}]}"#,
        #"{"version":1,"kind":"except","of":{"version":1,"kind":"never"},"exclusions":[{"dates":["2026-01-01"]}]}"#,
    ])
    func refusesJSONThatMeansNothing(json: String) throws {
        #expect(throws: DecodingError.self) { try CanonicalJSON.decode(Trigger.self, from: Array(json.utf8)) }
    }

    @Test func refusesTriggersThatAreTooDeep() throws {
        let deep = (0..<Trigger.maximumDepth).reduce(Trigger.never) { inner, _ in .anyOf([inner]) }
        #expect(deep.problem?.field == "trigger")
        let wide = Trigger.anyOf(Array(repeating: .never, count: Trigger.maximumParts))
        #expect(wide.problem?.field == "trigger")
        #expect(ScheduleSpec(id: "a", task: "t", trigger: wide).problems.count == 1)
    }

    @Test func jitterStaysBeforeTheNextTime() throws {
        var generate = Generate(seed: 46)
        for number in 0..<20 {
            var spec = ScheduleSpec(id: "s\(number)", task: "t", trigger: generate.trigger())
            spec.jitter = Int64(generate.int(1...86_400_000))
            let start = generate.instant()
            for nominal in fires(spec.trigger, after: start, through: .distantFuture, limit: 10) {
                let due = Planner.dueTime(of: nominal, in: spec)
                #expect(due >= nominal && due <= nominal + spec.jitter)
                if let next = spec.trigger.next(after: nominal) { #expect(due < next) }
                #expect(due == Planner.dueTime(of: nominal, in: spec))
            }
        }
    }
}
