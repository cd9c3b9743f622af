import TaskLog
import TaskModel

/// Schedules: their commands, and what must hold of their fires.
extension SimWorld {
    func order(_ plan: SimSchedulePlan) {
        for (time, command) in plan.commands {
            at(time) { [unowned self] in
                countFault()
                let body = CommandsTopicRecord.command(command).encoded()
                write(
                    LogAppend(
                        topic: Self.names.commands,
                        partition: Murmur2.partition(of: body.key ?? [], count: self.plan.controlPartitions),
                        key: body.key, value: body.value, headers: body.headers), by: "client")
            }
        }
    }

    /// Every command has its result, and the last fires are due.
    var schedulesAreDone: Bool {
        plan.schedules.isEmpty
            || clock > SimSchedulePlan.end
                && plan.schedules.allSatisfy {
                    $0.commands.allSatisfy { history.schedules.results[$0.command.id] != nil }
                }
    }

    func checkSchedules() {
        for plan in plan.schedules { check(plan) }
    }

    /// The spec that held from an instant on, and through when what was undecided then was given up, if it was.
    private struct Era {
        var from: Timestamp
        var spec: ScheduleSpec
        var givesUpThrough: Timestamp?
        /// When the command had been applied.
        var applied: Timestamp
    }

    /// What the commands say, in the order of the log: they are applied at the broker's time of their records.
    private func eras(of plan: SimSchedulePlan) -> [Era] {
        var eras: [Era] = []
        for (_, command) in plan.commands {
            guard let received = history.schedules.received[command.id],
                let (result, applied) = history.schedules.results[command.id], case .applied = result.outcome
            else { continue }
            var spec = eras.last?.spec
            switch command.kind {
            case .put(var new):
                new.pause = spec?.pause
                spec = new
            case .pause(let note, let until):
                spec?.pause = SchedulePause(note: note, by: "client", at: received, until: until)
            case .resume: spec?.pause = nil
            case .remove, .trigger: continue
            }
            guard let spec else { continue }
            let pause = eras.last?.spec.pause
            // Times from its end on it did not hold.
            let ended = pause.flatMap(\.until).flatMap { $0 <= received ? $0 : nil }
            let givesUp = spec.pause == pause ? nil : ended.map { $0 - 1 } ?? received
            eras.append(Era(from: received, spec: spec, givesUpThrough: givesUp, applied: applied))
        }
        return eras
    }

    private func check(_ plan: SimSchedulePlan) {
        let eras = eras(of: plan)
        guard let id = eras.first?.spec.id else {
            return violate("a schedule is created", "\(plan.commands.map(\.command.id))")
        }
        let fires = history.schedules.fires[id] ?? [:]
        for (index, era) in eras.enumerated() {
            let next = index + 1 < eras.count ? eras[index + 1] : nil
            let end = min(next?.from ?? .distantFuture, era.spec.end ?? .distantFuture)
            let later = eras[(index + 1)...]
            for nominal in nominals(era.spec, after: era.from, through: end) where !era.spec.isPaused(at: nominal) {
                let isGivenUp = later.contains { self.isGivenUp(nominal, by: $0, id) }
                check(isGivenUp || isAccountedFor(nominal, era.spec, fires), "no nominal time is missed") {
                    "\(nominal.rfc3339) of \(id), \(era.spec.catchUp); fired \(fires.keys.sorted().map(\.rfc3339))"
                }
            }
        }
        for (nominal, records) in fires.sorted(by: { $0.key < $1.key }) {
            for fire in records {
                check(fire.at >= nominal, "no nominal time fires before it has come") {
                    "\(nominal.rfc3339) of \(id) at \(fire.at.rfc3339)"
                }
            }
            check(
                nominal > eras[0].from && eras.contains { $0.spec.trigger.next(after: nominal - 1) == nominal },
                "only what a trigger names fires"
            ) { "\(nominal.rfc3339) of \(id)" }
            checkPause(nominal, eras, id)
        }
    }

    private func isGivenUp(_ nominal: Timestamp, by era: Era, _ id: String) -> Bool {
        guard let end = era.givesUpThrough, nominal <= end else { return false }
        let decided = history.schedules.cursors[id]?.last { $0.at <= era.from }
        return decided.map { $0.cursor < nominal } ?? true
    }

    /// Only a zombie may not know of a pause, and a gentle world has none.
    private func checkPause(_ nominal: Timestamp, _ eras: [Era], _ id: String) {
        guard plan.kind == .gentle, let index = eras.lastIndex(where: { $0.from < nominal }) else { return }
        let era = eras[index]
        check(!era.spec.isPaused(at: nominal) || nominal <= era.applied, "a paused schedule fires nothing") {
            "\(nominal.rfc3339) of \(id), paused at \(era.from.rfc3339)"
        }
    }

    /// It fired, another fire stands for it, or the journal says why not.
    private func isAccountedFor(
        _ nominal: Timestamp, _ spec: ScheduleSpec, _ fires: [Timestamp: [SimScheduleHistory.Fire]]
    ) -> Bool {
        if fires[nominal] != nil { return true }
        func stands(_ last: Timestamp, _ count: Int) -> Bool {
            last > nominal && nominals(spec, after: nominal, through: last).count < count
        }
        let isCoalesced = fires.contains { last, records in
            records.contains { stands(last, Int($0.standsFor)) }
        }
        return isCoalesced
            || (history.schedules.drops[spec.id] ?? []).contains { entry in
                entry.nominal.map { $0 == nominal || stands($0, entry.count ?? 1) } ?? false
            }
    }

    private func nominals(_ spec: ScheduleSpec, after start: Timestamp, through end: Timestamp) -> [Timestamp] {
        var found: [Timestamp] = []
        while let next = spec.next(after: found.last ?? start), next <= end { found.append(next) }
        return found
    }
}
