import Foundation
import Testing

@testable import TaskModel

@Suite("Fingerprint derivation")
struct FingerprintDerivationTests {
    struct Vectors: Decodable {
        struct Vector: Decodable {
            var identity: String
            var scheduleID: String?
            var nominalMilliseconds: Int64?
            var task: String?
            var key: String?
            var canonicalPayload: String?
            var bucket: Int64?
            var topic: String?
            var partition: Int32?
            var offset: Int64?
            var source: String?
            var id: String?
            var fingerprint: String
        }
        var vectors: [Vector]
    }

    @Test("the published vectors hold") func vectors() throws {
        let vectors = try Schemas.decode(Vectors.self, "fingerprint-v1.vectors.json").vectors
        var seen: Set<String> = []
        for vector in vectors {
            let identity: Identity =
                switch vector.identity {
                case "scheduled":
                    .scheduled(
                        scheduleID: try #require(vector.scheduleID),
                        nominalTime: Timestamp(milliseconds: try #require(vector.nominalMilliseconds)))
                case "idempotency-key":
                    .idempotencyKey(task: try #require(vector.task), key: try #require(vector.key))
                case "unique":
                    .unique(
                        task: try #require(vector.task),
                        canonicalPayload: Array(try #require(vector.canonicalPayload).utf8), bucket: vector.bucket)
                case "place":
                    .place(
                        topic: try #require(vector.topic), partition: try #require(vector.partition),
                        offset: try #require(vector.offset))
                default: .event(source: try #require(vector.source), id: try #require(vector.id))
                }
            #expect(Fingerprint(identity).hex == vector.fingerprint, "\(vector)")
            seen.insert(vector.identity)
        }
        #expect(seen.count == 5)
        #expect(Set(vectors.map(\.fingerprint)).count == vectors.count)
    }

    @Test("many that are made at once do not mix") func manyAtOnce() async {
        func fingerprints(_ count: Int) -> [Fingerprint] {
            (0..<count).map { Fingerprint(.event(source: String(repeating: "s", count: $0), id: "\($0)")) }
        }
        let expected = fingerprints(300)
        await withTaskGroup(of: [Fingerprint].self) { group in
            for _ in 0..<16 { group.addTask { fingerprints(300) } }
            for await made in group { #expect(made == expected) }
        }
        #expect(Set(expected).count == expected.count)
    }

    @Test("moving a character between two fields is other work") func lengthPrefixes() {
        #expect(
            Fingerprint(.idempotencyKey(task: "ab", key: "c")) != Fingerprint(.idempotencyKey(task: "a", key: "bc")))
        #expect(Fingerprint(.event(source: "ab", id: "c")) != Fingerprint(.idempotencyKey(task: "ab", key: "c")))
    }

    @Test("buckets are floored, also before 1970") func buckets() {
        #expect(Fingerprint.bucket(of: Timestamp(milliseconds: 59_999), window: 60_000) == 0)
        #expect(Fingerprint.bucket(of: Timestamp(milliseconds: 60_000), window: 60_000) == 1)
        #expect(Fingerprint.bucket(of: Timestamp(milliseconds: -1), window: 60_000) == -1)
        #expect(Fingerprint.bucket(of: Timestamp(milliseconds: -60_000), window: 60_000) == -1)
        #expect(Fingerprint.bucket(of: Timestamp(milliseconds: -60_001), window: 60_000) == -2)
    }
}
