internal import Containers
internal import ServiceRuntime
import Synchronization
internal import TaskModel
internal import TaskTelemetry

/// An attempt that ended, and how long its handler took (milliseconds).
struct EndedAttempt: Sendable {
    let end: AttemptEnd
    let task: String
    let elapsed: Int64
}

/// Runs handlers side by side, and says how each ended.
///
/// A start lies in a line until a runner, a Swift task, takes it; a runner goes on with the next one for as long as there
/// is one. While anything waits, one runner is on its way to the line, and only one: it sends for the next before it
/// begins. So handlers that block each have their own, and handlers that end at once share a few, and cost no task each.
///
/// A runner whose attempt is cancelled takes no other. `finishAll` is the structured end: nothing outlives the service.
final class AttemptRunner: Sendable {
    private struct Runner {
        var task: Task<Void, Never>
        /// What it runs now.
        var attempt: AttemptID?
        var isSpent = false
    }

    private struct State {
        var line: [AttemptStart] = []
        /// The first in `line` that nobody took.
        var head = 0
        /// A runner is on its way to the line.
        var isAwaited = false
        /// By number; the numbers of those that ended are given again.
        var runners = Slots<Runner>()
        /// The number of the runner that runs the attempt of a seat, or ran one.
        var runnerOfSeat: ContiguousArray<Int> = []
        /// Told to end before anybody took them.
        var cancelled: Set<AttemptID> = []
        /// Since the last `takeEnded`.
        var ended: [EndedAttempt] = []

        mutating func takeStart() -> AttemptStart? {
            guard head < line.count else { return nil }
            defer { head += 1 }
            return line[head]
        }

        /// The number of who runs this attempt.
        func runner(of id: AttemptID) -> Int? {
            let seat = AttemptTable.seat(of: id)
            guard seat < runnerOfSeat.count else { return nil }
            let number = runnerOfSeat[seat]
            return runners.values[number]?.attempt == id ? number : nil
        }

        mutating func begin(_ id: AttemptID, _ number: Int) {
            let seat = AttemptTable.seat(of: id)
            while runnerOfSeat.count <= seat { runnerOfSeat.append(number) }
            runnerOfSeat[seat] = number
            runners.values[number]?.attempt = id
        }

        mutating func compact() {
            guard head == line.count || (head > 256 && head * 2 > line.count) else { return }
            line.removeFirst(head)
            head = 0
        }
    }

    private let definitions: [String: TaskDefinition]
    private let identity: String
    private let logger: Logger
    private let time: any TimeSource
    private let state = Mutex(State())
    /// Called when `takeEnded` has something to give, once until it is taken.
    private let ended: @Sendable () -> Void

    init(
        definitions: [String: TaskDefinition], identity: String, logger: Logger, time: any TimeSource,
        ended: @escaping @Sendable () -> Void
    ) {
        self.definitions = definitions
        self.identity = identity
        self.logger = logger
        self.time = time
        self.ended = ended
    }

    func start(_ starts: [AttemptStart]) {
        state.withLock { state in
            state.line += starts
            sendForOne(&state)
        }
    }

    /// What ended since the last call.
    func takeEnded() -> [EndedAttempt] {
        state.withLock { state in
            defer { state.ended = [] }
            return state.ended
        }
    }

    func cancel(_ id: AttemptID) {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard let number = state.runner(of: id) else {
                if state.line[state.head...].contains(where: { $0.id == id }) { state.cancelled.insert(id) }
                return nil
            }
            state.runners.values[number]?.isSpent = true
            return state.runners.values[number]?.task
        }
        task?.cancel()
    }

    /// Cancels what runs and waits for it. What nobody took does not begin.
    func finishAll() async {
        let tasks = state.withLock { state in
            state.line = []
            state.head = 0
            return state.runners.values.compactMap { $0?.task }
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private func sendForOne(_ state: inout State) {
        guard state.head < state.line.count, !state.isAwaited else { return }
        state.isAwaited = true
        let number = state.runners.next
        state.runners.insert(Runner(task: Task { await self.work(number) }))
    }

    private func work(_ number: Int) async {
        var next = state.withLock { state in
            state.isAwaited = false
            return take(&state, number)
        }
        // The end of one is the beginning of the next.
        var begin = time.uptime()
        while let start = next {
            let result = await run(start)
            let end = time.uptime()
            let ended = EndedAttempt(
                end: AttemptEnd(id: start.id, result: result), task: start.facts.event.task, elapsed: end - begin)
            begin = end
            next = finish(ended, number)
        }
    }

    private func finish(_ attempt: EndedAttempt, _ number: Int) -> AttemptStart? {
        let (next, isFirst) = state.withLock { state in
            state.ended.append(attempt)
            return (take(&state, number), state.ended.count == 1)
        }
        if isFirst { ended() }
        return next
    }

    /// The next attempt for this runner; nil when it is to end.
    private func take(_ state: inout State, _ number: Int) -> AttemptStart? {
        guard state.runners.values[number]?.isSpent == false, let start = state.takeStart() else {
            state.runners.remove(number)
            sendForOne(&state)
            return nil
        }
        state.begin(start.id, number)
        if state.cancelled.remove(start.id) != nil {
            state.runners.values[number]?.isSpent = true
            state.runners.values[number]?.task.cancel()
        }
        state.compact()
        sendForOne(&state)
        return start
    }

    private func run(_ start: AttemptStart) async -> AttemptResult {
        guard let definition = definitions[start.facts.event.task] else {
            preconditionFailure("the state machine starts only tasks that are defined")
        }
        do {
            try await definition.handler.run(TaskContext(start, worker: identity, logger: logger))
            return .completed
        } catch let failure as TaskFailure {
            return Self.result(of: failure)
        } catch is CancellationError {
            return .failed(code: "cancelled", message: "the attempt was cancelled")
        } catch {
            return .failed(code: "error", message: "\(error)")
        }
    }

    private static func result(of failure: TaskFailure) -> AttemptResult {
        switch failure {
        case .retry(let code, let message): .failed(code: code, message: message)
        case .retryAfter(let milliseconds, let code, let message):
            .retryAfter(milliseconds: milliseconds, code: code, message: message)
        case .snooze(let milliseconds, let message): .snoozed(milliseconds: milliseconds, message: message)
        case .cancel(let message): .cancelled(message: message)
        case .fail(let code, let message): .fatal(reason: .fatal, code: code, message: message)
        case .undecodable(let message): .fatal(reason: .undecodable, code: "undecodable", message: message)
        }
    }
}
