import Testing

@testable import TidemillBench

struct ProcessReadingTests {
    @Test func readsTimeAndPeakBehindAnyName() throws {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 8 0 1000 1000000 500"
        let status = "Name:\tx\nVmPeak:\t  999 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"
        let reading = try #require(ProcessReading(stat: stat, status: status, ticksPerSecond: 100))
        #expect(reading.cpuMicroseconds == 3_000_000)
        #expect(reading.peakKibibytes == 2048)
        #expect(ProcessReading(stat: "", status: status, ticksPerSecond: 100) == nil)
        #expect(ProcessReading(stat: stat, status: "", ticksPerSecond: 100) == nil)
    }
}
