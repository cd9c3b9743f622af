import Foundation
import ServiceRuntime
import TidemillHarness

/// Measures, on this machine, and says what it measured with. The roles are this program again, as processes of their own.
enum BenchProgram {
    static func run(_ words: [String]) async -> Int32 {
        do {
            if let role = words.first.flatMap(RoleName.init), words.count == 2 {
                return try await role.run(Data(words[1].utf8))
            }
            guard let arguments = try BenchArguments(words) else {
                print(BenchArguments.usage)
                return 0
            }
            return try await measure(arguments)
        } catch let problem as BenchArguments.Problem {
            note("\(problem.text)\ntry --help")
            return 2
        } catch {
            note("FAIL: \(error)")
            return 1
        }
    }

    /// SIGINT and SIGTERM end what was started, and leave the report of the workloads that were done.
    private static func measure(_ arguments: BenchArguments) async throws -> Int32 {
        let signals = TerminationSignals.install()
        let run = Task { try await BenchSession(arguments).run() }
        let watch = Task {
            for await signal in signals?.stream ?? AsyncStream(unfolding: { nil }) {
                note("\(signal.rawValue): stopping")
                run.cancel()
            }
        }
        defer {
            watch.cancel()
            signals?.restore()
        }
        let isGood = try await run.value
        return run.isCancelled ? 130 : isGood ? 0 : 1
    }

    /// A line for people.
    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}

/// What a child of a run is; its order comes as JSON.
enum RoleName: String {
    case worker, scheduler, publisher, floor, probe

    func run(_ order: Data) async throws -> Int32 {
        let decoder = JSONDecoder()
        switch self {
        case .worker: return try await WorkerProcess.run(decoder.decode(WorkerOrder.self, from: order))
        case .scheduler:
            let place = try decoder.decode(BenchPlace.self, from: order)
            return try await RoleProcess.run(place.configuration(id: "scheduler")) { $0.makeScheduler() }
        case .publisher: return try await PublisherProcess.run(decoder.decode(PublishOrder.self, from: order))
        case .floor: return try FloorProcess.run(decoder.decode(FloorOrder.self, from: order))
        case .probe: return try await ProbeProcess.run(decoder.decode(ProbeOrder.self, from: order))
        }
    }
}
