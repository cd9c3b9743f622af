internal import Settings
import TaskModel

extension Configuration {
    /// The schedules of the file as the scheduler keeps them, in order of id. Loading has checked them.
    package func scheduleSpecs(origin: ScheduleOrigin) -> [ScheduleSpec] {
        schedules.sorted { $0.key < $1.key }.map { _, settings in
            var spec = settings.spec
            spec.origin = origin
            if settings.isPaused { spec.pause = SchedulePause(note: "paused in the file", by: "file", at: .epoch) }
            return spec
        }
    }
}
