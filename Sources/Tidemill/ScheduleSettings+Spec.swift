internal import Settings
import TaskModel

extension Configuration {
    /// The schedules of the file as the scheduler keeps them, in order of id. All problems are reported together.
    package func scheduleSpecs(origin: ScheduleOrigin) throws -> [ScheduleSpec] {
        var specs: [ScheduleSpec] = []
        var issues: [String] = []
        for (id, settings) in schedules.sorted(by: { $0.key < $1.key }) {
            do throws(TriggerError) {
                let spec = try settings.spec(id, origin: origin)
                issues += spec.problems.map { "\(settings.location): schedules.\(id): \($0)" }
                specs.append(spec)
            } catch {
                issues.append("\(settings.location): schedules.\(id): \(error)")
            }
        }
        guard issues.isEmpty else { throw ScheduleSettingsError(issues: issues) }
        return specs
    }
}

/// Schedules whose trigger cannot be read or never fires, each with its place in the file.
package struct ScheduleSettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    package var issues: [String]

    package var description: String { issues.joined(separator: "\n") }
}

extension ScheduleSettings {
    fileprivate func spec(_ id: String, origin: ScheduleOrigin) throws(TriggerError) -> ScheduleSpec {
        let trigger: TaskModel.Trigger
        let text: String
        switch self.trigger {
        case .cron(let expression):
            trigger = try .cron(expression, zone: timeZone ?? "UTC")
            text = expression
        case .interval(let milliseconds):
            trigger = try .every(milliseconds: milliseconds)
            text = "every \(DurationText.format(.milliseconds(milliseconds)))"
        case .at(let moment):
            trigger = try .at(moment, zone: timeZone)
            text = moment
        }
        return ScheduleSpec(
            id: id, task: task, queue: queue, trigger: trigger, triggerText: text, payload: payload,
            contentType: payload.isEmpty ? nil : "application/json", key: key, overlap: overlap,
            catchUp: TaskModel.CatchUp(rawValue: catchUp.rawValue) ?? .latest, maxAge: maxAge, maxCount: maxCount,
            jitter: jitter, start: start, end: end, expiry: expiresAfter, retryPolicy: retry,
            pause: isPaused ? SchedulePause(note: "paused in the file", by: "file", at: .epoch) : nil, origin: origin)
    }
}
