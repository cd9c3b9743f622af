/// Something that runs until it is done or its task is cancelled.
///
/// `run()` returns after a graceful end, throws when it cannot go on. `stop()` asks for the graceful end: take no new
/// work, finish or hand over what runs, return from `run()`. Cancelling the task of `run()` is the impatient form.
public protocol Service: Sendable {
    /// Shown in logs.
    var serviceName: String { get }
    func run() async throws
    /// May be called from any task, more than once, before or during `run()`.
    func stop() async
}
