import Testing

@testable import TidemillBench

struct BenchTableTests {
    @Test(arguments: [
        (0, "0.00"), (0.1234, "0.123"), (1.005, "1.00"), (9.876, "9.88"), (42.25, "42.3"), (123.4, "123"),
        (1234.5, "1,235"), (1_234_567, "1,234,567"), (-1.5, "-1.50"),
    ])
    func writesNumbersAsPeopleDo(value: Double, text: String) {
        #expect(BenchTable.number(value) == text)
    }

    @Test func putsOursBesideTheFloor() {
        var histogram = Histogram()
        histogram.record(1_500_000)
        let spread = Spread(histogram)
        let result = WorkloadResult(
            workload: "burn-down", engine: "kafka", settings: [:],
            metrics: [Metric("settled tasks", 60_000, "/s", floor: 200_000), Metric("lateness", spread)],
            processes: [ProcessUse(name: "worker", cpuMicrosecondsPerTask: 12.34, peakMebibytes: nil)],
            loadAverage: [0.5], seconds: 1, problems: ["one thing"])
        let report = BenchReport(
            startedAt: "2026-11-21T00:00:00.000Z", isQuick: true, versions: ["SQLite": "3"],
            machine: MachineFacts(cores: 2, processor: "cpu", memoryGibibytes: 1, system: "os"), settings: [:],
            results: [result])
        let text = BenchTable(report: report).text
        #expect(text.contains("60,000 /s | 200,000 /s |  30 % |"))
        #expect(text.contains("1.50 / 1.50 / 1.50 / 1.50 ms"))
        #expect(text.contains("12.3"))
        #expect(text.contains("* burn-down (kafka): one thing"))
    }
}
