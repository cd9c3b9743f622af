internal import TaskLog
internal import TaskModel

/// One question of the doctor, answered.
package struct DoctorCheck: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable, Comparable, CaseIterable {
        case ok, warn, fail

        package static func < (left: Status, right: Status) -> Bool {
            allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
        }
    }

    package var name: String
    package var status: Status
    package var detail: String
    /// What to do; nil when there is nothing to do.
    package var advice: String?

    package init(_ name: String, _ status: Status, _ detail: String, advice: String? = nil) {
        self.name = name
        self.status = status
        self.detail = detail
        self.advice = advice
    }
}

/// The doctor's judgments as functions of what was measured.
package enum Diagnosis {
    /// A scheduler this far ahead of the broker's clock holds its fires.
    static let heldSkew: Int64 = 5000
    /// Heartbeats are more frequent than this; an older one is a member's last.
    static let heartbeatAge: Int64 = 60_000

    /// `took`: milliseconds of one small append, acknowledged.
    static func reachable(took: Int64) -> DoctorCheck {
        took < 1000
            ? DoctorCheck("log", .ok, "an append was acknowledged in \(took) ms")
            : DoctorCheck(
                "log", .warn, "an append took \(took) ms to be acknowledged",
                advice: "Look at the load and the disks of the brokers, and at the network between.")
    }

    /// `skew`: local clock minus the broker's, known to ± `uncertainty`.
    static func clock(skew: Int64, uncertainty: Int64) -> DoctorCheck {
        let certain = max(0, abs(skew) - uncertainty)
        let side = skew >= 0 ? "ahead of" : "behind"
        let detail = "this machine is \(abs(skew)) ms \(side) the log's clock (± \(uncertainty) ms)"
        if certain > heldSkew {
            return DoctorCheck(
                "clock", .fail, detail,
                advice: "Run a time service (chrony, systemd-timesyncd) here and on the brokers: a scheduler more than "
                    + "5 s ahead holds its fires.")
        }
        if certain > 1000 {
            return DoctorCheck("clock", .warn, detail, advice: "Check the time service here and on the brokers.")
        }
        return DoctorCheck("clock", .ok, detail)
    }

    static func topics(_ differences: [TopicDifference], count: Int) -> [DoctorCheck] {
        guard !differences.isEmpty else { return [DoctorCheck("topics", .ok, "\(count) topics are as planned")] }
        let missing = differences.filter { $0.kind == .missing }
        let names = missing.map(\.topic).prefix(3).joined(separator: ", ") + (missing.count > 3 ? ", …" : "")
        let absent = missing.first.map {
            DoctorCheck(
                "topics", .fail, "\(missing.count) of \(count) topics do not exist: \(names)", advice: $0.advice)
        }
        return [absent].compactMap { $0 } + differing(differences.filter { $0.kind != .missing })
    }

    private static func differing(_ differences: [TopicDifference]) -> [DoctorCheck] {
        differences.sorted { ($1.weight, $0.topic) < ($0.weight, $1.topic) }.map { difference in
            let status: DoctorCheck.Status =
                switch difference.weight {
                case .note: .ok
                case .warning: .warn
                case .error: .fail
                }
            return DoctorCheck(
                "topics", status, "\(difference.topic) \(difference.summary)", advice: difference.advice)
        }
    }

    /// `isReplicated` is false on an embedded log, which has one copy by nature.
    static func durability(_ plan: TopicPlan, isReplicated: Bool) -> DoctorCheck {
        guard isReplicated else {
            return DoctorCheck("durability", .ok, "one machine, one file: back up the file with the machine")
        }
        if plan.replication >= 3 && plan.minInSyncReplicas >= 2 {
            return DoctorCheck(
                "durability", .ok,
                "\(plan.replication) replicas, \(plan.minInSyncReplicas) of them before an append is acknowledged")
        }
        return DoctorCheck(
            "durability", .warn,
            "\(plan.replication) replicas, \(plan.minInSyncReplicas) of them before an append is acknowledged: one "
                + "lost broker can lose acknowledged events",
            advice: "For production plan 3 replicas with 2 in sync.")
    }

    static func members(
        _ members: [MemberHeartbeat], of role: MemberHeartbeat.Role, now: Timestamp
    ) -> DoctorCheck {
        let live = members.filter { $0.role == role && now - $0.at <= heartbeatAge }
        let name = "\(role.rawValue)s"
        guard live.isEmpty else {
            let names = live.map(\.id).sorted().prefix(5).joined(separator: ", ")
            return DoctorCheck(name, .ok, "\(live.count) live: \(names)\(live.count > 5 ? ", …" : "")")
        }
        let last = members.filter { $0.role == role }.map(\.at).max()
        let detail = last.map { "none live; the last sign of one is from \($0.rfc3339)" } ?? "none has been seen"
        let effect = role == .worker ? "events wait in their queues" : "retries and schedules wait"
        return DoctorCheck(
            name, .warn, detail, advice: "Start one with `tidemill \(role.rawValue)`: until then \(effect).")
    }

    /// `reply`: what became of a command that changes nothing; a scheduler answers it at once.
    static func schedulers(_ silent: DoctorCheck, reply: CommandReply) -> DoctorCheck {
        if case .queued = reply { return silent }
        return DoctorCheck("schedulers", .ok, "one answers commands")
    }

    /// `lag`: records behind the queue's committed offsets; nil when no worker group has ever committed.
    static func queue(_ name: String, lag: Int64, neverCommitted: Int, partitions: Int) -> DoctorCheck {
        let place = "queue \(name)"
        if neverCommitted == partitions {
            return lag == 0
                ? DoctorCheck(place, .ok, "empty, and never worked on")
                : DoctorCheck(
                    place, .warn, "\(lag) events, and no worker has ever taken one",
                    advice: "Start a worker for this queue.")
        }
        return DoctorCheck(place, .ok, lag == 0 ? "all is settled" : "\(lag) events are not settled yet")
    }

    static func deadLetters(_ report: DeadLetterReport) -> DoctorCheck {
        guard report.matching > 0 else { return DoctorCheck("dead letters", .ok, "none is open") }
        let largest = report.groups.first.map {
            " most: \($0.count) of \($0.task.isEmpty ? "unreadable records" : $0.task)"
        }
        return DoctorCheck(
            "dead letters", .warn,
            "\(report.matching)\(report.isTruncated ? " or more" : "") are open;\(largest ?? "")",
            advice: "`tidemill dead-letters list --group` shows what died of what; replay or discard them.")
    }
}
