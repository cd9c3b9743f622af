import Foundation
import Synchronization

/// What the handles of one file in one process share: the news of commits, and a lock that makes their writers queue.
final class FileHub: Sendable {
    typealias Listener = @Sendable (CommitNotice) -> Void

    private struct State {
        var listeners: [UInt64: Listener] = [:]
        var nextID: UInt64 = 0
        var handles = 0
    }

    private static let hubs = Mutex<[DatabaseFile.Identity: FileHub]>([:])

    let writeLock = NSLock()
    private let identity: DatabaseFile.Identity?
    private let state = Mutex(State())

    private init(identity: DatabaseFile.Identity?) { self.identity = identity }

    /// The hub of a file, shared or, for a handle that is to act like another process, of its own. Give it back with
    /// `leave`.
    static func enter(_ identity: DatabaseFile.Identity, isShared: Bool) -> FileHub {
        guard isShared else { return FileHub(identity: nil) }
        return hubs.withLock { hubs in
            let hub = hubs[identity] ?? FileHub(identity: identity)
            hubs[identity] = hub
            hub.state.withLock { $0.handles += 1 }
            return hub
        }
    }

    func leave() {
        guard let identity else { return }
        Self.hubs.withLock { hubs in
            let isEmpty = state.withLock { state in
                state.handles -= 1
                return state.handles == 0
            }
            if isEmpty { hubs[identity] = nil }
        }
    }

    func listen(_ listener: @escaping Listener) -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            state.listeners[state.nextID] = listener
            return state.nextID
        }
    }

    func unlisten(_ id: UInt64) { state.withLock { $0.listeners[id] = nil } }

    /// Tells every handle of this process, the sender's included. Called on the sender's writer thread.
    func tell(_ notice: CommitNotice) {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener(notice) }
    }
}
