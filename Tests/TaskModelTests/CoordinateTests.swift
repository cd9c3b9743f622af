import Testing

@testable import TaskModel

@Suite("Coordinate")
struct CoordinateTests {
    @Test("its text is read back") func roundTrip() {
        var generate = Generate(seed: 3)
        for _ in 0..<1000 {
            let value = generate.coordinate()
            #expect(Coordinate(value.description) == value)
        }
        let first = Coordinate(fingerprint: Fingerprint(high: 0, low: 1))
        #expect(first.description == "00000000000000000000000000000001/0/1")
    }

    @Test(
        "what is no coordinate is refused",
        arguments: [
            "", "/", "//", "00000000000000000000000000000001/0", "00000000000000000000000000000001/0/1/",
            "00000000000000000000000000000001/0/4294967296", "00000000000000000000000000000001/-1/1",
            "0000000000000000000000000000000/0/1", "00000000000000000000000000000001/cancel/1",
        ])
    func rejects(_ text: String) { #expect(Coordinate(text) == nil) }

    @Test("a replay comes after every turn of the one before") func order() {
        let fingerprint = Fingerprint(high: 1, low: 1)
        let low = Coordinate(fingerprint: fingerprint, replay: 0, turn: 9)
        let high = Coordinate(fingerprint: fingerprint, replay: 1, turn: 1)
        #expect(low < high)
        #expect(Coordinate(fingerprint: fingerprint, replay: 0, turn: 8) < low)
    }
}
