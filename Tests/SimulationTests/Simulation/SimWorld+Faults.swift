import TaskLog
import TaskModel

/// What goes wrong, and the client.
extension SimWorld {
    func inject(_ fault: SimFault) {
        trace("fault: \(fault)")
        countFault()
        switch fault {
        case .crashWorker(let slot): if let worker = worker(slot) { crash(worker) }
        case .pauseWorker(let slot, let length):
            if let worker = worker(slot) { pause(worker, worker.member, workerGroup, length) }
        case .loseSession(let slot):
            if let worker = worker(slot), worker.state == .running { workerGroup.expel(worker.member) }
        case .stopWorker(let slot):
            guard let worker = worker(slot), worker.state == .running, worker.takesPart else { return }
            worker.stop()
            at(clock + random.number(100...10_000)) { [unowned self] in spawnWorker(slot) }
        case .joinWorker:
            let slot = 100 + faultCount
            spawnWorker(slot)
            at(clock + random.number(5000...30_000)) { [unowned self] in worker(slot)?.stop() }
        case .crashScheduler(let slot): if let scheduler = scheduler(slot) { crash(scheduler) }
        case .pauseScheduler(let slot, let length):
            if let scheduler = scheduler(slot) { pause(scheduler, scheduler.member, schedulerGroup, length) }
        case .stopScheduler(let slot):
            guard let scheduler = scheduler(slot), scheduler.state == .running, scheduler.takesPart else { return }
            scheduler.stop()
            at(clock + random.number(100...10_000)) { [unowned self] in spawnScheduler(slot) }
        case .stepWorker(let slot, let step, let length): stepClock(of: worker(slot), step, length)
        case .stepScheduler(let slot, let step, let length): stepClock(of: scheduler(slot), step, length)
        case .duplicateDue: duplicateDue()
        case .replayLetter: replayLetter()
        }
    }

    func crash(_ process: SimProcess) {
        guard process.state != .gone else { return }
        trace("\(process.name) crashes")
        disturb(process)
        process.crash()
        let back = clock + random.number(300...20_000)
        if let worker = process as? SimWorker {
            at(clock + SimGroup.sessionTimeout) { [unowned self] in workerGroup.expel(worker.member) }
            if worker.slot < plan.workers { at(back) { [unowned self] in spawnWorker(worker.slot) } }
        } else if let scheduler = process as? SimScheduler {
            at(clock + SimGroup.sessionTimeout) { [unowned self] in schedulerGroup.expel(scheduler.member) }
            at(back) { [unowned self] in spawnScheduler(scheduler.slot) }
        }
    }

    private func pause(_ process: SimProcess, _ member: SimMember, _ group: SimGroup, _ length: Int64) {
        guard process.state == .running else { return }
        process.pause()
        let until = clock + length
        if length >= SimGroup.sessionTimeout {
            at(clock + SimGroup.sessionTimeout) {
                if process.state == .paused { group.expel(member) }
            }
        }
        // One that has left the group no session speaks for: its leases end.
        at(clock + Self.unsureLease) { [unowned self] in
            if process.state == .paused { disturb(process) }
        }
        at(until) { [unowned self] in
            guard process.state == .paused else { return }
            trace("\(process.name) goes on")
            if length >= Self.longPause { disturb(process) }
            process.resume()
        }
    }

    private func stepClock(of process: SimProcess?, _ step: Int64, _ length: Int64) {
        guard let process else { return }
        process.skew = step
        at(clock + length) { process.skew = 0 }
    }

    /// A publisher or a scheduler that does not know that it was heard.
    private func duplicateDue() {
        let all = Self.partitions(Self.names.due("default"), plan.partitions).flatMap { log.records($0) }
        guard let record = random.pick(all) else { return }
        write(
            LogAppend(
                topic: record.topic, partition: record.partition, key: record.key, value: record.value,
                headers: record.headers), by: "duplicate")
    }

    private func replayLetter() {
        guard let letter = random.pick(history.openLetters.filter { $0.event.replay == 0 }) else { return }
        var event = letter.event
        event.replay += 1
        event.turn = 1
        event.attempt = 1
        event.firstDueAt = nil
        event.history = FailureHistory()
        publishNow(event)
        let key = DeadLetterKey(fingerprint: event.fingerprint, replay: 0)
        let body = DeadTopicRecord.mark(
            key, DeadLetterMark(kind: .replayed, by: "client", reason: "mended", at: brokerTime)
        ).encoded()
        let partition = Murmur2.partition(of: event.fingerprint.bytes, count: plan.controlPartitions)
        at(clock + random.number(1...500)) { [unowned self] in
            write(
                LogAppend(
                    topic: Self.names.dead, partition: partition, key: body.key, value: body.value,
                    headers: body.headers), by: "client")
        }
    }

    // MARK: the client

    func publish(_ plan: SimEventPlan) {
        for time in plan.publishedAt {
            at(time) { [unowned self] in
                if let delay = plan.delay { publishLater(plan.event, delay) } else { publishNow(plan.event) }
            }
        }
        if let time = plan.cancelledAt { at(time) { [unowned self] in cancel(plan.event) } }
    }

    private func publishNow(_ event: TaskEvent) {
        let body = event.encoded()
        write(
            LogAppend(
                topic: Self.names.due("default"),
                partition: Murmur2.partition(of: event.recordKey, count: plan.partitions), key: body.key,
                value: body.value, headers: body.headers), by: "client")
    }

    private func publishLater(_ event: TaskEvent, _ delay: Int64) {
        let body = WaitingEvent(event: event, queue: "default", due: .after(milliseconds: delay)).encoded()
        write(
            LogAppend(
                topic: Self.names.retry,
                partition: Murmur2.partition(of: event.fingerprint.bytes, count: plan.controlPartitions),
                key: body.key, value: body.value, headers: body.headers), by: "client")
    }

    private func cancel(_ event: TaskEvent) {
        guard let latest = history.latest[event.fingerprint], !history.hasEnded(latest) else { return }
        countFault()
        let decision = LedgerRecord(
            coordinate: latest, attempt: 1, laneHash: event.laneHash, worker: "client",
            body: .outcome(OutcomeDetail(.cancelled, endedAt: brokerTime, code: "cancelled", message: "no longer")))
        write(
            LogAppend(
                topic: Self.names.ledger("default"),
                partition: Murmur2.partition(of: event.recordKey, count: plan.partitions),
                key: event.fingerprint.bytes, value: decision.encoded()), by: "client")
        cancelWritten[latest] = clock
        at(clock + plan.slowestHearing) { [unowned self] in checkHeard(cancelOf: latest) }
        at(clock + random.number(1...200)) { [unowned self] in
            write(
                LogAppend(
                    topic: Self.names.retry,
                    partition: Murmur2.partition(of: event.fingerprint.bytes, count: plan.controlPartitions),
                    key: RetryKey.cancel(event.fingerprint, replay: latest.replay).bytes, value: [0x7b, 0x7d]),
                by: "client")
        }
    }

    /// Whoever still runs it follows its ledger, also one that lost the partition.
    private func checkHeard(cancelOf coordinate: Coordinate) {
        for worker in workers where worker.state == .running {
            let deaf = worker.running.first { $0.coordinate == coordinate && !$0.isCancelled }
            check(deaf == nil, "who runs what a person cancels hears of it") { "\(coordinate) runs in \(worker.name)" }
        }
    }

    /// The faults are over: everybody is back, and every clock is right.
    func heal() {
        for process in (workers as [SimProcess]) + (schedulers as [SimProcess]) {
            process.skew = 0
            guard process.state == .paused else { continue }
            trace("\(process.name) goes on")
            disturb(process)
            process.resume()
        }
    }
}
