import Testing

@testable import WorkerRole

@Suite struct CommandOutputTests {
    @Test func linesComeWholeHoweverTheBytesArrive() {
        var lines = OutputLines(budget: 100)
        #expect(lines.append(Array("on".utf8)) == [])
        #expect(lines.append(Array("e\n\ntwo\r\nthr".utf8)) == ["one", "two"])
        #expect(lines.finish() == ["thr"])
        #expect(lines.omitted == 0)
    }

    @Test func whatIsOverTheBudgetIsCounted() {
        var lines = OutputLines(budget: 5)
        #expect(lines.append(Array("abc\ndefgh\nxyz\n".utf8)) == ["abc", "de"])
        #expect(lines.finish() == [])
        #expect(lines.omitted == 7)
    }

    @Test func aLineIsCutAtItsLimit() {
        var lines = OutputLines(budget: 100_000)
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: OutputLines.lineLimit + 10)
        #expect(lines.append(long + Array("\nnext\n".utf8)).map(\.utf8.count) == [OutputLines.lineLimit, 4])
        #expect(lines.omitted == 10)
    }

    @Test func theTailKeepsTheEnd() {
        var tail = OutputTail(limit: 10)
        tail.append(Array("  short\n".utf8))
        #expect(tail.text == "short")
        for number in 0..<100 { tail.append(Array("line \(number)\n".utf8)) }
        #expect(tail.text == "…line 99")
    }

    @Test func theTailIsBoundedInBytesAndCutBetweenCharacters() {
        var tail = OutputTail(limit: 16)
        tail.append(Array("ääääääääääää".utf8))
        #expect(tail.text == "…ääääää")
        var broken = OutputTail(limit: 16)
        broken.append([UInt8](repeating: 0xFF, count: 16))
        #expect(broken.text.utf8.count <= 16)
        #expect(broken.text.hasSuffix("\u{FFFD}"))
    }
}
