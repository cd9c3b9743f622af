import Testing

@testable import TaskModel

@Suite("Murmur2")
struct Murmur2Tests {
    @Test(
        "the vectors of Kafka's Java client hold",
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
        ] as [(String, Int32)])
    func vectors(_ text: String, _ expected: Int32) {
        #expect(Int32(bitPattern: Murmur2.hash(Array(text.utf8))) == expected)
        #expect(Int32(bitPattern: Murmur2.hash(text)) == expected)
    }

    @Test("the hash of a fingerprint is that of its bytes") func fingerprints() {
        let fingerprint = Fingerprint(high: 0x0102_0304_0506_0708, low: 0xf1f2_f3f4_f5f6_f7f8)
        #expect(Murmur2.hash(fingerprint) == Murmur2.hash(fingerprint.bytes))
    }

    @Test("a partition is the positive hash modulo the count") func partitions() {
        #expect(Murmur2.partition(of: Array("21".utf8), count: 1000) == (-973_932_308 & 0x7fff_ffff) % 1000)
        var generate = Generate(seed: 4)
        var used: Set<Int32> = []
        for _ in 0..<2000 {
            let partition = Murmur2.partition(of: generate.bytes(0...20), count: 7)
            #expect((0..<7).contains(partition))
            used.insert(partition)
        }
        #expect(used.count == 7)
        #expect(Murmur2.partition(of: [], count: 1) == 0)
    }
}
