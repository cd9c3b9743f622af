internal import ServiceRuntime
internal import TaskLog
internal import TaskModel

extension TaskClient {
    /// Looks at everything that is commonly wrong. Never throws: a check that cannot be made is a failed check.
    package func doctor() async -> [DoctorCheck] {
        var checks: [DoctorCheck] = []
        do {
            let differences = try await checkTopics()
            checks += Diagnosis.topics(differences, count: plan.specs.count)
            if differences.contains(where: { $0.topic == names.workers && $0.kind == .missing }) { return checks }
        } catch {
            return [
                DoctorCheck(
                    "log", .fail, error.message,
                    advice: "Check the address, the network, and that the log runs; then run this again.")
            ]
        }
        await check("log", &checks) { () async throws(ClientError) in try await self.measureLog() }
        await check("durability", &checks) { () async throws(ClientError) in
            let dead = try await self.topology.description(of: self.names.dead)
            return [Diagnosis.durability(self.plan, isReplicated: dead.settings["min.insync.replicas"] != nil)]
        }
        await check("workers", &checks) { () async throws(ClientError) in
            let members = try await self.members()
            let now = self.time.now()
            return [
                Diagnosis.members(members, of: .worker, now: now),
                try await self.schedulerCheck(Diagnosis.members(members, of: .scheduler, now: now)),
            ]
        }
        await check("queues", &checks) { () async throws(ClientError) in try await self.queueChecks() }
        await check("dead letters", &checks) { () async throws(ClientError) in
            [Diagnosis.deadLetters(try await self.deadLetters(limit: 0))]
        }
        return checks
    }

    /// Workers and schedulers, by their last heartbeat that the log keeps, newest last.
    package func members() async throws(ClientError) -> [MemberHeartbeat] {
        let newest = Shared<[String: MemberHeartbeat]>([:])
        try await scan(try await topology.partitions(of: names.workers), while: "reading the heartbeats") { records in
            newest.change { newest in
                for record in records {
                    if let heartbeat = MemberHeartbeat(record) {
                        newest[heartbeat.id] = heartbeat
                    } else if record.value == nil, let key = record.key {
                        newest[String(decoding: key, as: UTF8.self)] = nil
                    }
                }
            }
            return true
        }
        return newest.value.values.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    /// Records of each queue's partitions that are not settled, by the committed offsets of the worker group.
    package func lag(of queue: String) async throws(ClientError) -> [QueueLag] {
        let partitions = try await topology.due(queue)
        let places = (0..<partitions.partitions).map { TopicPartition(partitions.name, $0) }
        do {
            let bounds = try await log.bounds(of: places)
            let committed = try await log.committed(group: names.workerGroup, partitions: places)
            return places.map { place in
                let bounds = bounds[place] ?? OffsetBounds(start: 0, end: 0)
                let position = committed[place].map { max($0.offset, bounds.start) }
                return QueueLag(
                    partition: place.partition, records: max(0, bounds.end - (position ?? bounds.start)),
                    isCommitted: position != nil)
            }
        } catch {
            throw ClientError(wrapping: error, while: "reading the offsets of queue \(queue)")
        }
    }

    private func check(
        _ name: String, _ checks: inout [DoctorCheck], _ body: () async throws(ClientError) -> [DoctorCheck]
    ) async {
        do throws(ClientError) {
            checks += try await body()
        } catch {
            checks.append(
                DoctorCheck(name, .fail, error.message, advice: "Mend this first, then run the doctor again."))
        }
    }

    /// One append shows that the log takes records, how fast, and what its clock says. It is a tombstone of a key that
    /// nobody uses, in a compacted topic: it goes by itself.
    private func measureLog() async throws(ClientError) -> [DoctorCheck] {
        let key = Array("doctor".utf8)
        let place = try await partition(of: key, in: names.workers)
        let (wall, start) = (time.now(), time.uptime())
        let receipt = try await append(
            [LogAppend(topic: place.topic, partition: place.partition, key: key, value: nil)],
            while: "appending to \(place.topic)")[0]
        let took = time.uptime() - start
        return [
            Diagnosis.reachable(took: took),
            Diagnosis.clock(skew: wall + took / 2 - receipt.timestamp, uncertainty: took / 2),
        ]
    }

    /// Milliseconds that a scheduler without a heartbeat is given to answer.
    package static let probeTimeout: Int64 = 3000

    /// Where no heartbeat tells of a scheduler, one is asked: a command for a revision that cannot be is a conflict to
    /// whoever applies commands, and changes nothing.
    private func schedulerCheck(_ byHeartbeat: DoctorCheck) async throws(ClientError) -> DoctorCheck {
        guard byHeartbeat.status != .ok else { return byHeartbeat }
        let probe = command(.remove, "tidemill-doctor", UInt64(Int64.max), "doctor", "asks whether a scheduler runs")
        return Diagnosis.schedulers(byHeartbeat, reply: try await send(probe, timeout: Self.probeTimeout))
    }

    private func queueChecks() async throws(ClientError) -> [DoctorCheck] {
        var checks: [DoctorCheck] = []
        for queue in try await queues() {
            let lags = try await lag(of: queue)
            checks.append(
                Diagnosis.queue(
                    queue, lag: lags.reduce(0) { $0 + $1.records },
                    neverCommitted: lags.filter { !$0.isCommitted }.count, partitions: lags.count))
        }
        return checks
    }
}

/// How far the workers are behind in one partition of a queue.
package struct QueueLag: Hashable, Sendable {
    package var partition: Int32
    /// From the committed offset, or the first kept record, to the end. Holes above the watermark are not counted.
    package var records: Int64
    /// Whether a worker group has ever committed there.
    package var isCommitted: Bool
}
