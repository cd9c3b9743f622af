import ServiceRuntime
import TaskModel
import TidemillHarness

/// The workers and schedulers of a chaos run by name, each free or in the hands of one fault at a time.
actor Roster {
    enum Role: Sendable {
        case worker, scheduler
    }

    struct Member: Sendable {
        var name: String
        var role: Role
        var child: ChildProcess?
        fileprivate var isTaken = false
        /// Uptime of the start of its process.
        fileprivate(set) var startedAt: Int64 = 0

        fileprivate var isFree: Bool { isRunning && !isTaken }
        fileprivate var isRunning: Bool { child != nil && child?.end == nil }
        fileprivate var isGone: Bool { child?.end != nil && !isTaken }
        var command: SliceArguments.Command { role == .worker ? .worker : .scheduler }
    }

    private let fleet: Fleet
    private var members: [Member] = []

    init(fleet: Fleet) { self.fleet = fleet }

    /// Starts a new one.
    func hire(_ role: Role, _ name: String) async throws {
        members.append(Member(name: name, role: role, child: nil, isTaken: true))
        try await restart(name)
        release(name)
    }

    /// One that runs and that nobody has; `draw` in 0 ..< 1 chooses.
    func take(_ role: Role, draw: Double) -> Member? {
        let free = members.filter { $0.role == role && $0.isFree }
        guard !free.isEmpty else { return nil }
        return take(free[Int(draw * Double(free.count))].name)
    }

    func take(_ name: String) -> Member? {
        guard let index = members.firstIndex(where: { $0.name == name && $0.isFree }) else { return nil }
        members[index].isTaken = true
        return members[index]
    }

    func takeAll() -> [Member] { members.filter(\.isFree).compactMap { take($0.name) } }

    func release(_ name: String) {
        guard let index = members.firstIndex(where: { $0.name == name }) else { return }
        members[index].isTaken = false
    }

    /// A new process under the name of one that has ended.
    func restart(_ name: String) async throws {
        guard let member = members.first(where: { $0.name == name }) else { return }
        let child = try await fleet.start(member.command, name)
        guard let index = members.firstIndex(where: { $0.name == name }) else { return }
        members[index].child = child
        members[index].startedAt = SystemTimeSource().uptime()
    }

    /// It has ended, and stays so.
    func dismiss(_ name: String) { members.removeAll { $0.name == name } }

    /// What a supervisor does: starts anew what ended by itself.
    func reviveEnded() async throws {
        for name in members.filter(\.isGone).map(\.name) {
            guard let index = members.firstIndex(where: { $0.name == name && $0.isGone }) else { continue }
            members[index].isTaken = true
            try await restart(name)
            release(name)
        }
    }

    var names: [String] { members.map(\.name) }
    var workerNames: [String] { members.filter { $0.role == .worker }.map(\.name) }
    var running: [Member] { members.filter(\.isRunning) }
}
