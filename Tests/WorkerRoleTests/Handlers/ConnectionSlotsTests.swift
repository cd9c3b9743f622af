import Testing

@testable import WorkerRole

@Suite(.timeLimit(.minutes(1))) struct ConnectionSlotsTests {
    @Test func aSlotIsHandedOn() async throws {
        let slots = ConnectionSlots(1)
        let gate = LineCollector()
        let first = Task { try await slots.run { await gate.line(startingWith: "go") } }
        while slots.free > 0 { await Task.yield() }
        let second = Task { try await slots.run { "second" } }
        while slots.waiting == 0 { await Task.yield() }
        gate.write(.init(level: .info, message: "go", fields: []))
        #expect(try await first.value == "go")
        #expect(try await second.value == "second")
        #expect(slots.free == 1)
    }

    @Test func aCancelledWaiterGivesUpItsPlaceOnly() async throws {
        let slots = ConnectionSlots(1)
        let gate = LineCollector()
        let first = Task { try await slots.run { await gate.line(startingWith: "go") } }
        while slots.free > 0 { await Task.yield() }
        let second = Task { try await slots.run { "second" } }
        while slots.waiting == 0 { await Task.yield() }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(slots.waiting == 0)
        #expect(slots.free == 0)
        gate.write(.init(level: .info, message: "go", fields: []))
        #expect(try await first.value == "go")
        #expect(try await slots.run { "third" } == "third")
    }

    @Test func aBodyThatThrowsGivesItsSlotBack() async {
        let slots = ConnectionSlots(1)
        await #expect(throws: CancellationError.self) { try await slots.run { throw CancellationError() } }
        #expect(slots.free == 1)
    }
}
