import Foundation
import TaskLog
import TaskModel
import Tidemill

/// Reads a finished run again, from its topics and journals, for the audit.
struct RunReading: Sendable {
    var place: RunPlace
    var installation: Installation

    /// `retry` loses replaced records to compaction: what once waited is known to the watch.
    func auditInput(
        accepted: Set<Fingerprint>, interventions: [Int32: Intervention], watch: LogWatch
    ) async throws -> AuditInput {
        let plan = installation.configuration.topicPlan
        let state = Collected(LogState(names: plan.names))
        for partition in LogWatch.partitions(of: plan) {
            try await installation.log.scanAll(partition) { records in
                await state.add(records)
                return true
            }
        }
        let unreadable = await state.value.unreadable
        guard unreadable == 0 else { throw SliceFailure("\(unreadable) records cannot be read") }
        var input = await state.value.auditInput(
            accepted: accepted, executions: try executions(), interventions: interventions)
        input.waiting = watch.read(\.waiting)
        return input
    }

    private func executions() throws -> [Execution] {
        let files = try FileManager.default.contentsOfDirectory(atPath: place.journalFolder).sorted()
        // The parts of one process's journal follow each other by name.
        let lines = try files.flatMap { file in
            try String(contentsOfFile: "\(place.journalFolder)/\(file)", encoding: .utf8)
                .split(separator: "\n").compactMap { ExecutionLine($0) }
        }
        return ExecutionLine.executions(lines)
    }

    private actor Collected {
        private(set) var value: LogState

        init(_ value: LogState) { self.value = value }

        func add(_ records: [LogRecord]) { value.add(records) }
    }
}
