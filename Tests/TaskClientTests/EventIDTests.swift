import TaskModel
import Testing

@testable import TaskClient

struct EventIDTests {
    @Test func isAUUIDOfVersion4() {
        #expect(EventID.text(high: .max, low: .max) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(EventID.text(high: 0, low: 0) == "00000000-0000-4000-8000-000000000000")
        #expect(
            EventID.text(high: 0x0123_4567_89ab_cdef, low: 0x0123_4567_89ab_cdef)
                == "01234567-89ab-4def-8123-456789abcdef")
    }

    @Test func noTwoAreEqual() {
        #expect(Set((0..<1000).map { _ in EventID.random() }).count == 1000)
    }

    @Test func goesToAPartitionThatHasItsTurn() {
        let turn = PartitionTurn(first: 10, width: 4, count: 12)
        var ids: Set<String> = []
        var partitions: Set<Int32> = []
        for _ in 0..<1000 {
            let (id, fingerprint) = EventID.random(source: "test", in: turn)
            #expect(fingerprint == Fingerprint(.event(source: "test", id: id)))
            ids.insert(id)
            partitions.insert(Murmur2.partition(of: fingerprint, count: 12))
        }
        #expect(ids.count == 1000)
        #expect(partitions == [10, 11, 0, 1])
    }

    @Test func goesElsewhereRatherThanNowhere() {
        let never = PartitionTurn(first: 0, width: 0, count: 12)
        #expect(EventID.random(source: "test", in: never).id != EventID.random(source: "test", in: never).id)
    }
}
