import Testing

@testable import WorkerRole

@Suite struct CommandLifecycleTests {
    private var lifecycle = CommandLifecycle(killAfter: 100, drain: 10)

    @Test mutating func anExitAfterTheLastOutputFinishesAtOnce() {
        #expect(lifecycle.handle(.outputEnded, now: 1) == [])
        #expect(lifecycle.state == .running)
        #expect(lifecycle.handle(.exited, now: 2) == [])
        #expect(lifecycle.state == .finished)
        #expect(!lifecycle.wasStopped)
    }

    @Test mutating func outputHeldByADescendantIsReadForAShortTimeOnly() {
        #expect(lifecycle.handle(.exited, now: 5) == [])
        #expect(lifecycle.wakeAt == 15)
        #expect(lifecycle.handle(.time, now: 14) == [])
        #expect(lifecycle.state == .draining(until: 15))
        #expect(lifecycle.handle(.time, now: 15) == [], "what it left behind of its own accord is not killed")
        #expect(lifecycle.state == .finished)
    }

    @Test mutating func aProcessThatIgnoresTheRequestIsKilled() {
        #expect(lifecycle.handle(.stop, now: 0) == [.terminate])
        #expect(lifecycle.handle(.time, now: 99) == [])
        #expect(lifecycle.wakeAt == 100)
        #expect(lifecycle.handle(.time, now: 100) == [.kill])
        #expect(lifecycle.wakeAt == nil)
        #expect(lifecycle.handle(.time, now: 101) == [])
        #expect(lifecycle.handle(.exited, now: 102) == [])
        #expect(lifecycle.state == .draining(until: 112))
        #expect(lifecycle.handle(.outputEnded, now: 103) == [])
        #expect(lifecycle.state == .finished)
        #expect(lifecycle.wasStopped)
    }

    @Test mutating func whatAStoppedProcessLeftHasTheRestOfTheTime() {
        #expect(lifecycle.handle(.stop, now: 0) == [.terminate])
        #expect(lifecycle.handle(.exited, now: 30) == [])
        #expect(lifecycle.state == .orphaned(killAt: 100))
        #expect(lifecycle.handle(.time, now: 100) == [.kill])
        #expect(lifecycle.state == .draining(until: 110))
    }

    @Test mutating func aStoppedGroupIsSweptWhenItsOutputEnds() {
        #expect(lifecycle.handle(.stop, now: 0) == [.terminate])
        #expect(lifecycle.handle(.outputEnded, now: 1) == [])
        #expect(lifecycle.handle(.exited, now: 2) == [.kill])
        #expect(lifecycle.state == .finished)
    }

    @Test mutating func aStopAfterTheExitChangesNothing() {
        #expect(lifecycle.handle(.exited, now: 0) == [])
        #expect(lifecycle.handle(.stop, now: 1) == [])
        #expect(!lifecycle.wasStopped)
        #expect(lifecycle.state == .draining(until: 10))
    }

    @Test mutating func aSecondStopChangesNothing() {
        #expect(lifecycle.handle(.stop, now: 0) == [.terminate])
        #expect(lifecycle.handle(.stop, now: 50) == [])
        #expect(lifecycle.wakeAt == 100)
    }

    @Test func hugeTimesDoNotOverflow() {
        var lifecycle = CommandLifecycle(killAfter: .max, drain: .max)
        #expect(lifecycle.handle(.stop, now: 1) == [.terminate])
        #expect(lifecycle.wakeAt == .max)
    }
}
