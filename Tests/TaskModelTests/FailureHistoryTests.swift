import Testing

@testable import TaskModel

@Suite("FailureHistory")
struct FailureHistoryTests {
    private func failure(_ attempt: UInt32, message: String = "m") -> AttemptFailure {
        AttemptFailure(attempt: attempt, turn: attempt, replay: 0, at: .epoch, worker: "w", code: "c", message: message)
    }

    @Test("it keeps the first and the last eight, and counts the rest") func bound() {
        var history = FailureHistory()
        #expect(history.isEmpty && history.last == nil)
        for attempt in 1...40 {
            history.append(failure(UInt32(attempt)))
            #expect(history.last?.attempt == UInt32(attempt))
        }
        #expect(history.failures.map(\.attempt) == Array(1...8) + Array(33...40))
        #expect(history.omitted == 24)
    }

    @Test("texts are cut between characters") func texts() {
        let long = String(repeating: "語", count: 1000)
        let cut = AttemptFailure(attempt: 1, turn: 1, replay: 0, at: .epoch, worker: long, code: long, message: long)
        #expect(cut.message == String(repeating: "語", count: 341))
        #expect(cut.worker == String(repeating: "語", count: 85))
        #expect(cut.code == String(repeating: "語", count: 21))
        #expect("aé".truncated(toUTF8Bytes: 2) == "a")
        #expect("aé".truncated(toUTF8Bytes: 3) == "aé")
        #expect("é".truncated(toUTF8Bytes: 0) == "")
    }

    @Test("the largest history stays within its share of the room beside a payload") func worstCase() {
        var history = FailureHistory()
        for attempt in 1...100 {
            let control = String(repeating: "\u{1}", count: 4096)
            history.append(
                AttemptFailure(
                    attempt: .max - UInt32(attempt), turn: .max, replay: .max, at: .distantFuture, worker: control,
                    code: control, message: control))
        }
        #expect(CanonicalJSON.encode(history).count <= 132 * 1024)
    }

    @Test("its JSON is read back") func json() throws {
        var generate = Generate(seed: 7)
        for _ in 0..<300 {
            let history = generate.history()
            #expect(try CanonicalJSON.decode(FailureHistory.self, from: CanonicalJSON.encode(history)) == history)
        }
    }

    @Test("a history that somebody else wrote is read within our bounds") func foreign() throws {
        let one =
            #"{"attempt":1,"turn":1,"replay":0,"at":0,"worker":"w","code":"c","message":"\#(String(repeating: "m", count: 5000))"}"#
        let many = Array(repeating: one, count: 60).joined(separator: ",")
        for omitted in ["9223372036854775807", "-9223372036854775808"] {
            let json = #"{"failures":[\#(many)],"omitted":\#(omitted)}"#
            var history = try CanonicalJSON.decode(FailureHistory.self, from: Array(json.utf8))
            history.append(failure(61))
            #expect(history.failures.count == 16)
            #expect(history.failures.allSatisfy { $0.message.utf8.count <= 1024 })
            #expect(history.omitted >= 45)
        }
    }
}
