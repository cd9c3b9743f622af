internal import TaskLog
internal import TaskModel

/// A schedule that wants it is paused when one of its events dies: after the dead letter, before the turn is settled.
extension WorkerStateMachine {
    /// The command that pauses the dead event's schedule; nil when its schedule goes on.
    func pauseCommand(of decision: Decision, _ turn: Turn) -> LogAppend? {
        let event = turn.facts.event
        guard event.pausesOnFailure, decision.detail.outcome == .dead, let schedule = event.scheduleID,
            ScheduleSpec.isValidID(schedule)
        else { return nil }
        let cause = decision.detail.message ?? decision.detail.code ?? decision.detail.outcome.word
        let command = ScheduleCommand.pauseOnFailure(
            of: decision.coordinate, scheduleID: schedule, cause: cause, author: identity)
        let body = CommandsTopicRecord.command(command).encoded()
        return LogAppend(
            body,
            to: TopicPartition(
                configuration.names.commands,
                Murmur2.partition(of: body.key ?? [], count: configuration.controlPartitions)))
    }
}
