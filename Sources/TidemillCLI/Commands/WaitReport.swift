import TaskClient
import TaskModel

/// How following an event to its end is told, and what it means for the exit status.
enum WaitReport {
    /// Shows the end: exit status 0 when the event completed, 1 for any other end and for none within `timeout`.
    static func show(
        _ result: WaitResult, timeout: Int64?, _ format: OutputFormat, _ context: CommandContext
    ) throws -> Int32 {
        guard case .ended(let end) = result else {
            context.output.note(
                "not ended after \(Words.duration(timeout ?? 0)); it goes on, see `tidemill events show`")
            return ExitStatus.failure
        }
        if format == .json {
            try context.output.writeJSON(end)
        } else {
            context.output.write(describe(end) + "\n")
        }
        return end.isCompleted ? ExitStatus.success : ExitStatus.failure
    }

    static func describe(_ progress: WaitProgress) -> String {
        let next = progress.detail.delay.map { ", next in \(Words.duration($0))" } ?? ""
        let failure = Words.failure(code: progress.detail.code, message: progress.detail.message)
        return progress.detail.outcome == .snoozed
            ? "attempt \(progress.attempt) put off\(next)\(failure.isEmpty ? "" : ": \(failure)")"
            : "attempt \(progress.attempt) failed: \(failure)\(next)"
    }

    private static func describe(_ end: EventEnd) -> String {
        let failure = Words.failure(code: end.detail.code, message: end.detail.message)
        let before = end.wasDecidedBefore ? " before, by an equal event" : ""
        let reason = end.detail.deathReason.map { " (\($0.rawValue))" } ?? ""
        return "\(end.outcome.word)\(reason)\(before) in attempt \(end.attempt) on \(end.worker)"
            + (failure.isEmpty ? "" : ": \(DisplayText.visible(failure))")
    }
}
