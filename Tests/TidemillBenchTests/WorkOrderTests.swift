import Testing

@testable import TidemillBench

struct WorkOrderTests {
    @Test func readsWhatItWrote() throws {
        var order = WorkOrder()
        order.reference = -0x0123_4567_89ab_cdef
        order.bucket = 200
        order.clock = .wall
        order.failsOnce = true
        order.sleepMilliseconds = 70_000
        let payload = order.payload(100)
        #expect(payload.count == 100)
        #expect(WorkOrder(payload) == order)
    }

    @Test func hasNothingToDoByDefault() {
        #expect(WorkOrder(WorkOrder().payload(100)) == nil)
        #expect(WorkOrder([1, 2, 3]) == nil)
        #expect(WorkOrder().payload(3).count == WorkOrder.byteCount)
    }
}
