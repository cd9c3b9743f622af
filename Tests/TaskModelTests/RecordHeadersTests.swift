import TaskModel
import Testing

import struct RecordFormat.RecordHeaderWriter

@Suite struct RecordHeadersTests {
    static let samples: [[RecordHeader]] = [
        [],
        [RecordHeader("a", "b")],
        [RecordHeader("", []), RecordHeader("absent", nil as [UInt8]?), RecordHeader("absent", "twice")],
        [RecordHeader(String(repeating: "long", count: 100), Array(repeating: 7, count: 70_000))],
        [RecordHeader("n127", Array(repeating: 1, count: 126)), RecordHeader("n128", Array(repeating: 1, count: 127))],
    ]

    @Test(arguments: samples) func comeBackAsTheyWere(headers: [RecordHeader]) throws {
        let packed = RecordHeaders(headers)
        #expect(Array(packed) == headers)
        #expect(packed.count == headers.count && packed.isEmpty == headers.isEmpty)
        #expect(packed.byteCount == headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) })
        #expect(try #require(RecordHeaders(block: packed.block)) == packed)
    }

    /// Both ways of making a block make the same one.
    @Test(arguments: samples) func madeInOnePieceTheyAreTheSame(headers: [RecordHeader]) {
        let names = headers.map { Array($0.name.utf8) }
        let places: [RecordHeaders.Place] = headers.indices.map { index in
            (
                pointer(names[index]),
                headers[index].value.map { pointer($0) }
            )
        }
        #expect(places.withUnsafeBufferPointer { RecordHeaders(copying: $0) } == RecordHeaders(headers))
    }

    @Test(arguments: [0, 1, 125, 126, 127, 128, 16_382, 16_383, 70_000])
    func writtenIntoRoomForThemTheyAreTheSame(length: Int) {
        let texts = [String(repeating: "x", count: length), String(repeating: "\u{e9}", count: length / 2), ""]
        let expected = RecordHeaders(
            texts.flatMap { [RecordHeader("n", $0), RecordHeader($0, "v")] } + [RecordHeader("short", "now")])
        let room = texts.reduce(16) { $0 + 2 * ($1.utf8.count + 1 + RecordHeaderWriter.overhead) }
        let written = RecordHeaders(capacity: room + RecordHeaderWriter.overhead) { headers in
            for text in texts {
                headers.append("n", text)
                headers.append(text, "v")
            }
            headers.append("short", maximum: 5) { buffer in
                UnsafeMutableRawBufferPointer(buffer).copyBytes(from: "now".utf8)
                return 3
            }
        }
        #expect(written == expected)
    }

    @Test func whatIsCutIsNoBlock() {
        let block = RecordHeaders([RecordHeader("name", "value")]).block
        for count in 1..<block.count {
            #expect(RecordHeaders(block: Array(block.prefix(count))) == nil, "\(count) bytes")
        }
        #expect(RecordHeaders(block: Array(repeating: 0xff, count: 10)) == nil)
    }

    @Test func theLastOfANameCounts() {
        let headers: RecordHeaders = [RecordHeader("a", "1"), RecordHeader("b", "2"), RecordHeader("a", "3")]
        #expect(headers.last(named: "a")?.text == "3")
        #expect(headers.last(named: "c") == nil)
        #expect(headers.without(["a"]) == [RecordHeader("b", "2")])
        #expect(headers.without(["c"]) == headers)
    }

    /// A copy that the test leaves behind, so that its address outlives the closure.
    private func pointer(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(copy)
    }
}
