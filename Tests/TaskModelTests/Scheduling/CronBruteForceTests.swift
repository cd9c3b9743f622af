import TaskModel
import Testing

/// Random expressions of both dialects against a walk over every day that knows nothing of the parser.
struct CronBruteForceTests {
    @Test(arguments: [CronDialect.unix, .quartz])
    func agreesWithAWalkOverEveryDay(dialect: CronDialect) throws {
        var generate = Generate(seed: dialect == .unix ? 5 : 7)
        var found = 0
        for _ in 0..<300 {
            let example = BruteCron(dialect, using: &generate)
            let start = Int64(generate.int(1_500_000_000...2_200_000_000))
            let walked = example.walk(after: start, days: 3 * 366)
            let next: Timestamp?
            do {
                next = try Trigger.cron(example.text, dialect: dialect).next(after: Timestamp(seconds: start))
            } catch {
                #expect(walked == nil, "\(example.text) was refused: \(error)")
                continue
            }
            if let walked {
                found += 1
                #expect(
                    next == Timestamp(seconds: walked), "\(example.text) after \(Timestamp(seconds: start).rfc3339)")
            } else {
                let isLater = next.map { $0 > Timestamp(seconds: start + 3 * 366 * 86_400) } ?? true
                #expect(isLater, "\(example.text) after \(Timestamp(seconds: start).rfc3339)")
            }
        }
        #expect(found > 220)
    }
}
