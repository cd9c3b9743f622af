import Foundation
import TaskModel
import Testing

@testable import TidemillBench

struct HistogramTests {
    @Test func keepsSmallValuesExactly() {
        var histogram = Histogram()
        for value in 1...1000 { histogram.record(UInt64(value)) }
        #expect(histogram.percentile(50) == 500)
        #expect(histogram.percentile(99) == 990)
        #expect(histogram.percentile(100) == 1000)
        #expect(histogram.percentile(0) == 1)
        #expect(histogram.count == 1000)
    }

    @Test func isWithinAThousandthOfTheTruth() {
        var random = SplitMix64(seed: 7)
        // Spread over many powers of two, as latencies are.
        var values = (0..<20_000).map { _ in UInt64(1) << UInt64(random.nextUnit() * 40) + random.next() % 1000 }
        var histogram = Histogram()
        for value in values { histogram.record(value) }
        values.sort()
        for percent in [1.0, 25, 50, 90, 95, 99, 99.9] {
            let exact = Double(values[Int((Double(values.count) * percent / 100).rounded(.up)) - 1])
            let found = Double(histogram.percentile(percent))
            #expect(found >= exact)
            #expect(found <= exact * 1.001 + 1)
        }
        #expect(histogram.minimum == values.first)
        #expect(histogram.maximum == values.last)
    }

    @Test func takesTheLargestValueThereIs() {
        var histogram = Histogram()
        histogram.record(.max)
        histogram.record(0)
        #expect(histogram.percentile(100) == .max)
        #expect(histogram.percentile(50) == 0)
    }

    @Test func saysNothingOfNothing() {
        let histogram = Histogram()
        #expect(histogram.isEmpty)
        #expect(histogram.percentile(50) == 0)
        #expect(histogram.maximum == 0)
    }

    @Test func countsManyAtOnceLikeOneByOne() {
        var together = Histogram()
        together.record(5000, count: 3)
        together.record(7, count: 0)
        var single = Histogram()
        for _ in 0..<3 { single.record(5000) }
        #expect(together == single)
    }

    @Test func mergesIntoWhatWouldHaveBeenRecordedTogether() {
        var all = Histogram()
        var parts = [Histogram(), Histogram(), Histogram()]
        for value in UInt64(1)...3000 {
            all.record(value * value)
            parts[Int(value % 2)].record(value * value)
        }
        let merged = parts.reduce(into: Histogram()) { $0.merge($1) }
        #expect(merged.count == all.count)
        #expect(merged.minimum == 1)
        for percent in [1.0, 50, 99, 100] { #expect(merged.percentile(percent) == all.percentile(percent)) }
    }

    @Test func survivesTheWayBetweenProcesses() throws {
        var histogram = Histogram()
        for value in [0, 1, 2047, 2048, 1 << 40, UInt64.max] { histogram.record(value) }
        let copy = try JSONDecoder().decode(Histogram.self, from: JSONEncoder().encode(histogram))
        #expect(copy == histogram)
    }
}
