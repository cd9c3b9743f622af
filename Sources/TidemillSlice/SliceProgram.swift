import Foundation
import TaskModel

/// The proof that the promises hold: real worker and scheduler processes on a real log, killed and stopped on the way,
/// then an audit of what they left.
enum SliceProgram {
    static let usage = """
        usage: TidemillSlice run    --engine sqlite|kafka [--bootstrap HOST:PORT] --folder FOLDER
                                    [--events N] [--seed N] [--workers N]
               TidemillSlice faults --engine sqlite|kafka [--bootstrap HOST:PORT] --folder FOLDER [--only a,b,…]
               TidemillSlice chaos  --engine sqlite|kafka [--bootstrap HOST:PORT,…] --folder FOLDER [--minutes N] [--seed N]
                                    [--workers N] [--rate N] [--only kill,stop,…] [--brokers 1|3 --kafka-port N]
               TidemillSlice malformed --engine sqlite|kafka [--bootstrap HOST:PORT] --folder FOLDER [--events N] [--seed N]

        """

    static func run(_ words: [String]) async -> Int32 {
        do {
            let arguments = try SliceArguments(words)
            switch arguments.command {
            case .worker: return try await WorkerProcess.run(arguments)
            case .scheduler: return try await SchedulerProcess.run(arguments)
            case .run: return try await SliceRun(arguments).run() ? 0 : 1
            case .chaos: return try await ChaosRun(arguments).run() ? 0 : 1
            case .malformed: return try await MalformedRun(arguments).run() ? 0 : 1
            case .faults: return try await FaultSuite.run(arguments) ? 0 : 1
            }
        } catch let error as SliceArguments.Problem {
            say("\(error.text)\n\(usage)")
            return 2
        } catch {
            say("FAIL: \(error)")
            return 1
        }
    }

    /// A line for people.
    static func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}

/// Why a run cannot go on.
struct SliceFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
