import Testing

@testable import TaskServer

struct ConnectionMachineTests {
    private static let get = Array("GET /a HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
    private static let half = Array("GET /a HT".utf8)
    private let limits: HTTPLimits = {
        var limits = HTTPLimits()
        limits.requestTime = 100
        limits.idleTime = 1000
        limits.writeTime = 200
        limits.drainTime = 50
        return limits
    }()

    private func handles(_ action: ConnectionMachine.Action?) -> Bool {
        if case .handle = action { true } else { false }
    }

    private func text(_ machine: ConnectionMachine) -> String { String(decoding: machine.pending, as: UTF8.self) }

    @Test func aRequestAndItsResponse() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        #expect(machine.deadline == 1000)
        #expect(handles(machine.received(Self.get, now: 10)))
        #expect(!machine.wantsRead)
        #expect(machine.deadline == nil)
        machine.responded(.text(.ok, "hi"), now: 20)
        #expect(text(machine).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text(machine).hasSuffix("\r\n\r\nhi\n"))
        #expect(machine.deadline == 220)
        let count = machine.pending.count
        #expect(machine.wrote(5, now: 21) == nil)
        #expect(machine.pending.count == count - 5)
        #expect(machine.wrote(count - 5, now: 22) == nil)
        #expect(machine.wantsRead)
        #expect(machine.deadline == 1022)
    }

    @Test func aDrippingRequestHasOneDeadline() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        for (tick, byte) in Self.half.enumerated() {
            #expect(machine.received([byte], now: Int64(10 * tick)) == nil)
        }
        #expect(machine.elapsed(now: 99) == nil)
        #expect(machine.pending.isEmpty)
        #expect(machine.elapsed(now: 100) == nil)
        #expect(text(machine).hasPrefix("HTTP/1.1 408 "))
        #expect(machine.wrote(machine.pending.count, now: 110) == .finishWriting)
        #expect(machine.received([1, 2, 3], now: 111) == nil)
        #expect(machine.elapsed(now: 159) == nil)
        #expect(machine.elapsed(now: 160) == .close)
    }

    @Test func anIdleConnectionEnds() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        #expect(machine.elapsed(now: 999) == nil)
        #expect(machine.elapsed(now: 1000) == .close)
    }

    @Test func aClientThatDoesNotReadIsLeft() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        _ = machine.received(Self.get, now: 0)
        machine.responded(.text(.ok, "hi"), now: 0)
        #expect(machine.elapsed(now: 200) == .close)
    }

    @Test func pipelinedRequestsComeOneByOne() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        #expect(handles(machine.received(Self.get + Self.get + Self.half, now: 0)))
        machine.responded(.text(.ok, "1"), now: 0)
        #expect(handles(machine.wrote(machine.pending.count, now: 1)))
        machine.responded(.text(.ok, "2"), now: 1)
        #expect(machine.wrote(machine.pending.count, now: 2) == nil)
        // The third has begun: its time runs.
        #expect(machine.deadline == 102)
    }

    @Test func malformedRequestsEndTheConnection() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        #expect(machine.received(Array("nonsense\r\n\r\n".utf8), now: 0) == nil)
        #expect(text(machine).hasPrefix("HTTP/1.1 400 "))
        #expect(text(machine).contains("Connection: close\r\n"))
        #expect(machine.wrote(machine.pending.count, now: 0) == .finishWriting)
        #expect(machine.ended() == .close)
    }

    @Test func headHasNoBody() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        _ = machine.received(Array("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n".utf8), now: 0)
        machine.responded(.text(.ok, "12345"), now: 0)
        #expect(text(machine).contains("Content-Length: 6\r\n"))
        #expect(text(machine).hasSuffix("\r\n\r\n"))
    }

    @Test func aPeerThatHasSentAllIsAnswered() {
        var machine = ConnectionMachine(limits: limits, now: 0)
        _ = machine.received(Self.get, now: 0)
        #expect(machine.ended() == nil)
        var partial = ConnectionMachine(limits: limits, now: 0)
        _ = partial.received(Self.half, now: 0)
        #expect(partial.ended() == .close)
    }

    @Test func stoppingLetsARequestFinish() {
        var idle = ConnectionMachine(limits: limits, now: 0)
        #expect(idle.stop() == .close)
        var busy = ConnectionMachine(limits: limits, now: 0)
        _ = busy.received(Self.get + Self.get, now: 0)
        #expect(busy.stop() == nil)
        busy.responded(.text(.ok, "last"), now: 0)
        #expect(text(busy).contains("Connection: close\r\n"))
        #expect(busy.wrote(busy.pending.count, now: 0) == .finishWriting)
    }
}
