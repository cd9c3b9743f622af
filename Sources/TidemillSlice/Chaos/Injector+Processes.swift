import TaskModel

extension Injector {
    func kill(_ draw: inout SplitMix64) async throws {
        guard let member = await victim(&draw), let child = member.child else { return }
        let start = time.now()
        try await fleet.kill(child)
        await record(.kill, [child], member.name, since: start)
        try await time.sleep(milliseconds: Int64(draw.nextUnit() * 3000))
        try await roster.restart(member.name)
        await roster.release(member.name)
    }

    func stop(_ draw: inout SplitMix64) async throws {
        guard let member = await victim(&draw), let child = member.child else { return }
        let start = time.now()
        await fleet.suspend(child)
        try await time.sleep(milliseconds: 1000 + Int64(draw.nextUnit() * 29_000))
        let heldLog = options.place.writer == child.processID
        await fleet.resume(child)
        await record(.stop, [child], member.name, since: start, heldLog: heldLog)
        await roster.release(member.name)
    }

    /// A deploy: every process in turn; one that another fault has is started anew by that.
    func rollOut() async throws {
        let start = time.now()
        for name in await roster.names {
            guard let member = await roster.take(name) else { continue }
            try await terminate(member)
            try await roster.restart(name)
            await roster.release(name)
        }
        await record(.rolling, [], "all", since: start)
    }

    func scale(_ draw: inout SplitMix64) async throws {
        let start = time.now()
        for count in [1, 6, 2, options.workers] {
            try await scale(to: count)
            try await time.sleep(milliseconds: 2000 + Int64(draw.nextUnit() * 4000))
        }
        await record(.scale, [], "1 6 2 \(options.workers)", since: start)
    }

    /// As far as other faults leave workers free to go.
    private func scale(to count: Int) async throws {
        let names = await roster.workerNames
        if names.count < count {
            let free = (1...ChaosOptions.workerRange.upperBound).map { "worker\($0)" }.filter { !names.contains($0) }
            for name in free.prefix(count - names.count) { try await roster.hire(.worker, name) }
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for name in names.suffix(names.count - count) {
                guard let member = await roster.take(name) else { continue }
                group.addTask {
                    try await terminate(member)
                    await roster.dismiss(name)
                }
            }
            try await group.waitForAll()
        }
    }

    func terminateOne(_ draw: inout SplitMix64) async throws {
        guard let member = await victim(&draw) else { return }
        try await terminate(member)
        try await roster.restart(member.name)
        await roster.release(member.name)
    }

    private func terminate(_ member: Roster.Member) async throws {
        guard let child = member.child else { return }
        let start = time.now()
        let gaveUp = await fleet.terminateOrKill(child)
        await record(.terminate, [child], member.name, since: start, gaveUp: gaveUp)
    }

    func stepClock(_ draw: inout SplitMix64) async throws {
        guard let member = await victim(&draw), let child = member.child else { return }
        let start = time.now()
        let step: Int64 = draw.nextUnit() < 0.5 ? 3_600_000 : -3_600_000
        child.send(RoleControl.clock(step).line)
        try await time.sleep(milliseconds: 3000 + Int64(draw.nextUnit() * 17_000))
        child.send(RoleControl.clock(0).line)
        await record(.clock, [child], "\(member.name) by \(step) ms", since: start)
        await roster.release(member.name)
    }

    func cut(_ draw: inout SplitMix64) async throws {
        guard let member = await victim(&draw), let child = member.child else { return }
        let start = time.now()
        child.send(RoleControl.cut.line)
        await record(.cut, [child], member.name, since: start)
        await roster.release(member.name)
    }

    /// Every second time for one process alone, as when only its quota is used up.
    func fillDisk(_ draw: inout SplitMix64) async throws {
        var members: [Roster.Member] = []
        if draw.nextUnit() < 0.5 {
            if let one = await victim(&draw) { members = [one] }
        } else {
            members = await roster.takeAll()
        }
        // Who begins on a full disk says so and ends, as it should.
        let young = members.filter { time.uptime() - $0.startedAt < Self.beginning }.map(\.name)
        for name in young { await roster.release(name) }
        members.removeAll { young.contains($0.name) }
        guard !members.isEmpty else { return }
        let start = time.now()
        for member in members { member.child?.send(RoleControl.fileLimit(Self.fileLimit).line) }
        try await time.sleep(milliseconds: 1000 + Int64(draw.nextUnit() * 7000))
        for member in members { member.child?.send(RoleControl.fileLimit(nil).line) }
        let names = members.map(\.name).joined(separator: " ")
        await record(.full, members.compactMap(\.child), names, since: start)
        for member in members { await roster.release(member.name) }
    }

    /// Milliseconds that a process may take to begin.
    private static let beginning: Int64 = 15_000
    /// Bytes: more than a part of a journal of executions has, less than the log's file.
    private static let fileLimit: UInt64 = 64 << 10
}
