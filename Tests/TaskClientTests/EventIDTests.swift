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
}
