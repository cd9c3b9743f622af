import Testing

@testable import TaskModel

@Suite("Timestamp")
struct TimestampTests {
    @Test("sums and differences saturate") func saturates() {
        #expect(Timestamp.distantFuture + 1 == .distantFuture)
        #expect(Timestamp(milliseconds: .min) + -1 == Timestamp(milliseconds: .min))
        #expect(Timestamp(milliseconds: .min) - 1 == Timestamp(milliseconds: .min))
        #expect(Timestamp.distantFuture - -1 == .distantFuture)
        #expect(Timestamp.distantFuture - Timestamp(milliseconds: -1) == Int64.max)
        #expect(Timestamp(milliseconds: .min) - Timestamp(milliseconds: 1) == Int64.min)
        #expect(Timestamp(milliseconds: 5) - Timestamp(milliseconds: 7) == Int64(-2))
        #expect(Timestamp(seconds: .max) == .distantFuture)
        #expect(Timestamp(seconds: .min).milliseconds == .min)
        #expect(Timestamp(seconds: -2).milliseconds == -2000)
    }

    @Test("its JSON is a number of milliseconds") func json() throws {
        #expect(CanonicalJSON.encode([Timestamp(milliseconds: -5)]) == Array("[-5]".utf8))
        #expect(try CanonicalJSON.decode([Timestamp].self, from: Array("[17]".utf8)) == [Timestamp(milliseconds: 17)])
    }
}
