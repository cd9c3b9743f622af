import TaskModel
import Testing

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
