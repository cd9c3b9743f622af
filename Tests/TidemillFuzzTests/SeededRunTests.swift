import TaskModel
import Testing

@testable import TidemillFuzz

@Suite("A seeded run of mutations")
struct SeededRunTests {
    /// Refuses what begins with a zero byte, and breaks its law for what is too long.
    private let target = FuzzTarget(name: "made-up") {
        [[1, 2, 3], Array("number 17 of 20".utf8)]
    } run: { bytes throws(FuzzFinding) in
        try FuzzFinding.require(bytes.count < 100, "too long")
        return bytes.first == 0 ? .refused : .read
    }

    @Test("a broken law is found, and told with seed, index and bytes")
    func finding() throws {
        var said: [String] = []
        let run = SeededRun(target: target, seed: 7)
        let count = try run.run(0..<2000) { said.append($0) }
        #expect(count.read > 0 && count.refused > 0 && !count.findings.isEmpty && said == count.findings)
        #expect(count.read + count.refused + count.findings.count == 2000)
        let first = try #require(said.first)
        let words = first.split(separator: " ")
        let index = try #require(words.firstIndex(of: "index").flatMap { Int(words[$0 + 1].dropLast()) })
        #expect(first.hasPrefix("fuzz: FAILED made-up seed 7 index \(index): too long: "))
        #expect(first.hasSuffix(SeededRun.hex(try run.input(index))))
    }

    @Test("the same seed makes the same inputs, another one others")
    func inputs() throws {
        let run = SeededRun(target: target, seed: 1)
        let other = SeededRun(target: target, seed: 2)
        #expect(try (0..<50).map(run.input) == (0..<50).map(run.input))
        #expect(try (0..<50).map(run.input) != (0..<50).map(other.input))
    }

    @Test("a reader that refuses its own seed is no target")
    func badSeed() {
        let target = FuzzTarget(name: "bad") {
            [[0]]
        } run: { _ throws(FuzzFinding) in
            .refused
        }
        #expect(throws: FuzzFinding.self) { try SeededRun(target: target, seed: 1).run(0..<1) }
    }

    @Test("a record survives its frame; any bytes are a frame")
    func frame() {
        let body = RecordBody(
            key: [1, 2], value: [9], headers: [RecordHeader("a", "b"), RecordHeader("a", nil), RecordHeader("", [])])
        #expect(RecordFrame(RecordFrame(body).bytes).body == body)
        #expect(RecordFrame([]).body == RecordBody(key: nil, value: nil, headers: []))
        #expect(RecordFrame([3, 200, 9, 1]).body.key == [1])
    }
}
