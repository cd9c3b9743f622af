import TaskModel

/// One line of a worker's journal of executions: `begin` or `end`, coordinate, attempt, worker, process, time, result.
struct ExecutionLine: Hashable, Sendable {
    enum Mark: String, Hashable, Sendable {
        case begin, end
    }

    enum Result: String, Hashable, Sendable {
        case succeeded, failed, cancelled
    }

    var mark: Mark
    var coordinate: Coordinate
    var attempt: UInt32
    var worker: String
    var processID: Int32
    var time: Timestamp
    /// Of an `end`.
    var result: Result?

    var text: String {
        "\(mark.rawValue) \(coordinate) \(attempt) \(worker) \(processID) \(time.milliseconds) \(result?.rawValue ?? "-")"
    }

    /// Nil for anything else, such as a line that a kill cut short.
    init?(_ text: some StringProtocol) {
        let fields = text.split(separator: " ")
        guard fields.count == 7, let mark = Mark(rawValue: String(fields[0])), let coordinate = Coordinate(fields[1]),
            let attempt = UInt32(fields[2]), let processID = Int32(fields[4]), let milliseconds = Int64(fields[5])
        else { return nil }
        let result = Result(rawValue: String(fields[6]))
        guard (mark == .end) == (result != nil) else { return nil }
        self.init(
            mark, coordinate, attempt: attempt, worker: String(fields[3]), processID: processID,
            time: Timestamp(milliseconds: milliseconds), result: result)
    }

    init(
        _ mark: Mark, _ coordinate: Coordinate, attempt: UInt32, worker: String, processID: Int32, time: Timestamp,
        result: Result? = nil
    ) {
        self.mark = mark
        self.coordinate = coordinate
        self.attempt = attempt
        self.worker = worker
        self.processID = processID
        self.time = time
        self.result = result
    }

    /// Joins begins with their ends. A process runs one coordinate once at a time, so an end belongs to the last begin.
    static func executions(_ lines: [ExecutionLine]) -> [Execution] {
        struct Run: Hashable {
            var coordinate: Coordinate
            var processID: Int32
        }
        var executions: [Execution] = []
        var open: [Run: Int] = [:]
        for line in lines {
            let run = Run(coordinate: line.coordinate, processID: line.processID)
            switch line.mark {
            case .begin:
                open[run] = executions.count
                executions.append(
                    Execution(
                        coordinate: line.coordinate, attempt: line.attempt, worker: line.worker,
                        processID: line.processID, start: line.time))
            case .end:
                guard let index = open.removeValue(forKey: run) else { continue }
                executions[index].end = line.time
                executions[index].result = line.result
            }
        }
        return executions
    }
}
