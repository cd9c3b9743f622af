import TaskTelemetry

/// The rules of ``ServiceGroup`` as a value: what happened goes in, what to do comes out.
struct ServiceGroupMachine {
    /// What can happen to a group.
    enum Wake {
        case ended(Int, Outcome)
        case signal(TerminationSignal)
        case requested
        case graceEnded
        /// The task of the group itself was cancelled, and with it every service.
        case taskCancelled
        /// A child of the group has ended that has nothing to say.
        case nothing
    }

    /// How a service ended.
    enum Outcome {
        case returned
        /// It threw after it had been cancelled, which is no failure.
        case cancelled
        case failed(any Error)
    }

    enum Action {
        case log(LogLevel, String, service: String?)
        /// Ask every service to stop, and start the grace period.
        case stopServices
        case cancelServices
        case end(Result<ServiceGroup.End, any Error>)
    }

    private enum Reason {
        case cause(ServiceGroup.Cause)
        case failure(ServiceFailure)
    }

    private enum State {
        case running
        case stopping(Reason)
        case cancelling(Reason, ServiceGroup.Impatience, running: [String])
        /// Cancelled from outside.
        case abandoned
    }

    private let names: [String]
    private var running: Set<Int>
    private var state = State.running

    init(serviceNames: [String]) {
        names = serviceNames
        running = Set(serviceNames.indices)
    }

    mutating func handle(_ wake: Wake) -> [Action] {
        let actions: [Action]
        switch wake {
        case .ended(let index, let outcome): actions = ended(index, outcome)
        case .signal(let signal): actions = stopOrHurry(.signal(signal))
        case .requested: actions = requested()
        case .graceEnded: actions = cancel(because: .graceEnded)
        case .taskCancelled: actions = abandon()
        case .nothing: actions = []
        }
        return running.isEmpty ? actions + [.end(result)] : actions
    }

    private mutating func ended(_ index: Int, _ outcome: Outcome) -> [Action] {
        running.remove(index)
        let name = names[index]
        switch outcome {
        case .returned: return [.log(.debug, "service ended", service: name)]
        // If the group did not do it, its own task was cancelled.
        case .cancelled: return [.log(.debug, "service was cancelled", service: name)] + abandon()
        case .failed(let error): return failed(ServiceFailure(serviceName: name, underlying: error))
        }
    }

    private mutating func failed(_ failure: ServiceFailure) -> [Action] {
        let log = Action.log(.error, "service failed: \(failure.underlying)", service: failure.serviceName)
        switch state {
        case .running:
            state = .stopping(.failure(failure))
            return [log, .stopServices]
        case .stopping(.cause):
            state = .stopping(.failure(failure))
            return [log]
        // The first failure is the one that counts.
        case .stopping(.failure), .cancelling, .abandoned:
            return [log]
        }
    }

    private mutating func stopOrHurry(_ cause: ServiceGroup.Cause) -> [Action] {
        guard case .running = state else { return cancel(because: .secondSignal) }
        state = .stopping(.cause(cause))
        let text =
            switch cause {
            case .signal(let signal): "stopping: \(signal.rawValue) received"
            case .request: "stopping"
            }
        return [.log(.info, text, service: nil), .stopServices]
    }

    /// A request says "end", however often it is said; only signals press.
    private mutating func requested() -> [Action] {
        guard case .running = state else { return [] }
        return stopOrHurry(.request)
    }

    private mutating func cancel(because impatience: ServiceGroup.Impatience) -> [Action] {
        guard case .stopping(let reason) = state else { return [] }
        let left = running.sorted().map { names[$0] }
        state = .cancelling(reason, impatience, running: left)
        let why =
            switch impatience {
            case .secondSignal: "a second signal came"
            case .graceEnded: "the grace period is over"
            }
        return left.map { .log(.warning, "cancelling: \(why)", service: $0) } + [.cancelServices]
    }

    private mutating func abandon() -> [Action] {
        switch state {
        case .running, .stopping:
            state = .abandoned
            return [.cancelServices]
        case .cancelling, .abandoned:
            return []
        }
    }

    private var result: Result<ServiceGroup.End, any Error> {
        switch state {
        case .running: .success(.finished)
        case .stopping(.failure(let failure)), .cancelling(.failure(let failure), _, _): .failure(failure)
        case .stopping(.cause(let cause)): .success(.stopped(cause))
        case .cancelling(.cause(let cause), let impatience, let left):
            .success(.cancelled(cause, because: impatience, running: left))
        case .abandoned: .failure(CancellationError())
        }
    }
}
