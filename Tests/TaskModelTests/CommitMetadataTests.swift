import Foundation
import Testing

@testable import TaskModel

@Suite("CommitMetadata")
struct CommitMetadataTests {
    @Test("what fits is read back exactly") func roundTrip() {
        var generate = Generate(seed: 60)
        for _ in 0..<2000 {
            let offset = Int64.random(in: 0...1_000_000_000_000, using: &generate.random)
            var holes: [Int64] = []
            var last = offset - 1
            for _ in 0..<generate.int(0...60) {
                last += Int64(generate.chance(0.2) ? generate.int(1...1_000_000) : generate.int(1...20))
                holes.append(last)
            }
            let metadata = CommitMetadata(
                highMark: last + 1 + Int64(generate.int(0...300)), holes: holes, isClean: generate.chance(0.5))
            let text = metadata.encoded(offset: offset)
            #expect(CommitMetadata(offset: offset, metadata: text) == metadata)
        }
    }

    @Test("what does not fit is still true: a lower mark, and the holes below it") func bound() throws {
        var generate = Generate(seed: 61)
        for limit in [16, 64, 4096] {
            for wide in [20, 200, 3_000_000] {
                var holes: [Int64] = []
                var last: Int64 = 1000
                for _ in 0..<4000 {
                    holes.append(last)
                    last += Int64(generate.int(1...wide))
                }
                let text = CommitMetadata(highMark: last, holes: holes, isClean: true).encoded(
                    offset: 1000, limit: limit)
                #expect(text.utf8.count <= limit)
                let read = try #require(CommitMetadata(offset: 1000, metadata: text))
                #expect(read.highMark < last && read.isClean)
                // Every offset below the mark that it does not call a hole is settled indeed.
                #expect(read.holes == holes.filter { $0 < read.highMark })
                #expect(holes.contains(read.highMark))
            }
        }
    }

    @Test("a thousand holes side by side fit into what a commit may hold") func usual() throws {
        var tracker = OffsetTracker(start: 0)
        for offset in Int64(0)..<100_000 {
            _ = tracker.receive(offset)
            if offset % 100 != 0 { tracker.settle(offset) }
        }
        let text = CommitMetadata(tracker, isClean: false).encoded(offset: tracker.watermark)
        #expect(text.utf8.count <= 4096)
        let read = try #require(CommitMetadata(offset: tracker.watermark, metadata: text))
        #expect(read.highMark == 100_000 && read.holes == tracker.holes && !read.isClean)
    }

    @Test("the bytes are the documented ones") func golden() {
        let metadata = CommitMetadata(highMark: 600, holes: [100, 103, 400], isClean: true)
        let text = metadata.encoded(offset: 100)
        #expect(Data(base64Encoded: text).map { hex($0) } == "0101f4030003a902")
    }

    @Test(
        "what is not ours is nothing",
        arguments: [
            "", "x", "====", "AQ==", "AQA=", "AgAA", "AQAAAA==", "AQCA", "AQD/////////////////////", "AQAFBQ==",
            "AQAFAgA=",
        ])
    func refuses(_ text: String) { #expect(CommitMetadata(offset: 7, metadata: text) == nil) }

    @Test("an offset near the end of all numbers does not overflow") func extremes() {
        let text = CommitMetadata(highMark: 1_000_000, holes: [5], isClean: true).encoded(offset: 0)
        #expect(CommitMetadata(offset: .max - 5, metadata: text) == nil)
    }
}
