public import TaskTelemetry

/// Runs services side by side and ends them together.
///
/// - A signal (SIGTERM, SIGINT) or ``stop()``: every service is asked to stop, the last one first, so that those that
///   serve others end after them. A second signal, or the end of the grace period, cancels what still runs.
/// - A service that throws: the others are stopped in the same way, then ``run()`` throws its ``ServiceFailure``.
/// - A service that returns by itself leaves the others running; the group ends when all have.
///
/// After a cancellation by signal or grace period the signals have their old handling again, so that a further one ends
/// the process even if a service does not react to being cancelled.
public final class ServiceGroup: Sendable {
    /// Where requests to end come from.
    public enum Signals: Sendable {
        /// SIGTERM and SIGINT of this process. SIGPIPE does nothing while the group runs.
        case process
        /// Only ``ServiceGroup/stop()``: for an app that handles signals itself.
        case none
        /// From a stream, for tests.
        case stream(AsyncStream<TerminationSignal>)
    }

    /// How a group ended that did not fail.
    public enum End: Sendable, Hashable {
        /// Every service returned by itself.
        case finished
        /// Asked to stop, and every service did.
        case stopped(Cause)
        /// Asked to stop, and then cut short while these services, by name, still ran.
        case cancelled(Cause, because: Impatience, running: [String])
    }

    /// Why a group began to stop.
    public enum Cause: Sendable, Hashable {
        case signal(TerminationSignal)
        case request
    }

    /// Why a stop did not wait any longer.
    public enum Impatience: Sendable, Hashable {
        case secondSignal
        case graceEnded
    }

    private let services: [any Service]
    private let grace: Duration
    private let signals: Signals
    private let time: any TimeSource
    private let logger: Logger
    private let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation

    /// `services` in the order of dependence: each may use those before it. `grace` is how long a stop may take.
    public convenience init(
        services: [any Service], grace: Duration = .seconds(30), signals: Signals = .process, logger: Logger = Logger()
    ) {
        self.init(services: services, grace: grace, signals: signals, time: SystemTimeSource(), logger: logger)
    }

    package init(
        services: [any Service], grace: Duration, signals: Signals, time: any TimeSource, logger: Logger = Logger()
    ) {
        self.services = services
        self.grace = grace
        self.signals = signals
        self.time = time
        self.logger = logger
        (requests, request) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
    }

    /// Asks the group to end, as a signal does. May be called from any task, more than once, before or during ``run()``.
    public func stop() {
        request.yield(())
    }

    /// Runs the services until they have ended; call it once. Throws ``ServiceFailure`` when one of them threw,
    /// ``ServiceGroupError`` when another group has the signals, `CancellationError` when its own task was cancelled.
    public func run() async throws -> End {
        switch signals {
        case .none: return try await run(signals: nil, restore: {})
        case .stream(let stream): return try await run(signals: stream, restore: {})
        case .process:
            guard let handlers = TerminationSignals.install() else { throw ServiceGroupError.signalsAreTaken }
            defer { handlers.restore() }
            return try await run(signals: handlers.stream) { handlers.restore() }
        }
    }

    /// One loop, one enum of reasons to wake: the machine decides, this does.
    private func run(
        signals: AsyncStream<TerminationSignal>?, restore: @Sendable () -> Void
    ) async throws -> End {
        guard !services.isEmpty else { return .finished }
        var machine = ServiceGroupMachine(serviceNames: services.map(\.serviceName))
        return try await withTaskGroup(of: ServiceGroupMachine.Wake.self) { group -> Result<End, any Error> in
            startChildren(in: &group, signals: signals)
            while let wake = await group.next() {
                listenAgain(after: wake, in: &group, signals: signals)
                for action in machine.handle(wake) {
                    switch action {
                    case .log(let level, let message, let service):
                        logger.log(level, message, service.map { ["service": $0] } ?? [:])
                    case .stopServices:
                        group.addTask { [self] in await stopServices() }
                        group.addTask { [self] in await waitForGrace() }
                    case .cancelServices:
                        restore()
                        group.cancelAll()
                    case .end(let result):
                        // What is left only listens or waits.
                        group.cancelAll()
                        return result
                    }
                }
            }
            return .failure(CancellationError())
        }.get()
    }

    private func startChildren(
        in group: inout TaskGroup<ServiceGroupMachine.Wake>, signals: AsyncStream<TerminationSignal>?
    ) {
        for (index, service) in services.enumerated() {
            group.addTask { .ended(index, await Self.outcome(of: service)) }
        }
        listenAgain(after: .requested, in: &group, signals: nil)
        if let signals { group.addTask { await Self.next(of: signals) } }
    }

    /// A listener hears one thing and ends; this starts the next one.
    private func listenAgain(
        after wake: ServiceGroupMachine.Wake, in group: inout TaskGroup<ServiceGroupMachine.Wake>,
        signals: AsyncStream<TerminationSignal>?
    ) {
        switch wake {
        case .signal: if let signals { group.addTask { await Self.next(of: signals) } }
        case .requested:
            group.addTask { [requests] in
                for await _ in requests { return .requested }
                // Only cancellation ends this stream.
                return .taskCancelled
            }
        default: break
        }
    }

    private static func outcome(of service: any Service) async -> ServiceGroupMachine.Outcome {
        do {
            try await service.run()
            return .returned
        } catch {
            return Task.isCancelled ? .cancelled : .failed(error)
        }
    }

    private static func next(of signals: AsyncStream<TerminationSignal>) async -> ServiceGroupMachine.Wake {
        for await signal in signals { return .signal(signal) }
        return .nothing
    }

    private func stopServices() async -> ServiceGroupMachine.Wake {
        for service in services.reversed() { await service.stop() }
        return .nothing
    }

    private func waitForGrace() async -> ServiceGroupMachine.Wake {
        let (seconds, attoseconds) = grace.components
        try? await time.sleep(milliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        return Task.isCancelled ? .nothing : .graceEnded
    }
}
