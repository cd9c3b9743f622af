internal import ServiceRuntime

/// The loop's one timer. It may ring early (the machine then names a later time), never late.
struct Alarm {
    private let time: any TimeSource
    private let ring: @Sendable () -> Void
    private var sleeper: Task<Void, Never>?
    private var set: Int64?

    init(time: any TimeSource, ring: @escaping @Sendable () -> Void) {
        self.time = time
        self.ring = ring
    }

    /// Rings at this uptime, if it does not ring before.
    mutating func ring(at uptime: Int64?) {
        guard let uptime, set.map({ uptime < $0 }) ?? true else { return }
        sleeper?.cancel()
        set = uptime
        sleeper = Task { [time, ring] in
            guard (try? await time.sleep(milliseconds: max(0, uptime - time.uptime()))) != nil else { return }
            ring()
        }
    }

    /// The ring was heard.
    mutating func rang() { set = nil }

    func stop() { sleeper?.cancel() }
}
