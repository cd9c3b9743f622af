import Synchronization

/// A value that several tasks change. (A `Mutex` itself must not be captured by an escaping closure: it is not copyable,
/// and Swift 6.0 gives the closure one of its own.)
final class Shared<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
