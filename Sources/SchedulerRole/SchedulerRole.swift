// SchedulerRole
