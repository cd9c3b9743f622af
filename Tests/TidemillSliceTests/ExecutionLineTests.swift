import TaskModel
import Testing

@testable import TidemillSlice

struct ExecutionLineTests {
    private let coordinate = Coordinate(fingerprint: Fingerprint(high: 1, low: 2), replay: 1, turn: 3)

    private func line(_ mark: ExecutionLine.Mark, at time: Int64, process: Int32 = 7) -> ExecutionLine {
        ExecutionLine(
            mark, coordinate, attempt: 2, worker: "w/1f", processID: process, time: Timestamp(milliseconds: time),
            result: mark == .end ? .succeeded : nil)
    }

    @Test func isReadAsItWasWritten() {
        for mark in [ExecutionLine.Mark.begin, .end] {
            #expect(ExecutionLine(line(mark, at: 5).text) == line(mark, at: 5))
        }
    }

    @Test func aLineThatWasCutShortIsNone() {
        let text = line(.end, at: 5).text
        #expect(ExecutionLine(text.dropLast(3)) == nil)
        #expect(ExecutionLine("") == nil)
        #expect(ExecutionLine(text + " more") == nil)
    }

    @Test func endsBelongToTheLastBeginOfTheSameProcess() {
        let executions = ExecutionLine.executions([
            line(.begin, at: 1), line(.begin, at: 2, process: 8), line(.end, at: 3, process: 8), line(.begin, at: 4),
            line(.end, at: 6),
        ])
        #expect(executions.map(\.start.milliseconds) == [1, 2, 4])
        #expect(executions.map { $0.end?.milliseconds } == [nil, 3, 6])
    }
}
