import Testing

@testable import TaskModel

@Suite("SplitMix64")
struct SplitMix64Tests {
    @Test("its first numbers are those of the published algorithm") func vectors() {
        // Computed apart with Python 3, from the three lines of the paper; the seed is 1234567.
        var generator = SplitMix64(seed: 1_234_567)
        let numbers = (0..<3).map { _ in generator.next() }
        #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test("a unit is in 0 ..< 1") func unit() {
        var generator = SplitMix64(seed: 9)
        for _ in 0..<10_000 {
            let unit = generator.nextUnit()
            #expect((0..<1).contains(unit))
        }
    }
}
