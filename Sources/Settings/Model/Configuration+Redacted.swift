internal import TaskModel

extension Configuration {
    /// The configuration that holds, as YAML, with every default written out and every secret redacted.
    ///
    /// Redacted are the values of `exec.environment` and `http.headers`, the query of an `http.url`, and the Kafka
    /// properties that are not known to be harmless. Payloads and commands are shown: keep secrets out of them.
    package func redactedDescription() -> String {
        var text = YamlWriter()
        text.section("log") { write(log, to: &$0) }
        text.section("worker") { text in
            text.value("id", worker.id)
            text.list("queues", worker.queues)
            text.value("concurrency", worker.concurrency)
            text.duration("grace", worker.grace)
            text.duration("lease", worker.lease)
            text.duration("unknown_task_max_age", worker.unknownTaskMaxAge)
            text.duration("session_timeout", worker.sessionTimeout)
        }
        text.section("scheduler") { text in
            text.duration("session_timeout", scheduler.sessionTimeout)
            text.duration("max_clock_lead", scheduler.maximumClockLead)
            text.value("payload_memory", ByteSizeText.format(scheduler.payloadMemory))
        }
        text.section("observability") { text in
            text.value("log_level", "\(observability.logLevel)")
            text.value("log_format", observability.logFormat.rawValue)
            guard let metrics = observability.metrics else { return }
            text.section("metrics") { text in
                let host = metrics.host.contains(":") ? "[\(metrics.host)]" : metrics.host
                text.value("listen", "\(host):\(metrics.port)")
                text.value("allow_remote", metrics.allowRemote)
            }
        }
        text.section("defaults") { text in
            text.duration("timeout", defaults.timeout)
            text.section("retry") { write(defaults.retry, to: &$0) }
        }
        text.sections("queues", queues) { text, queue in
            text.value("partitions", queue.partitions)
            text.value("weight", queue.weight)
        }
        text.sections("tasks", tasks) { write($1, to: &$0) }
        text.sections("schedules", schedules) { write($1, to: &$0) }
        return text.text
    }

    private func write(_ log: LogSettings, to text: inout YamlWriter) {
        switch log.engine {
        case .embedded(let path): text.section("embedded") { $0.value("path", path) }
        case .kafka(let kafka):
            text.section("kafka") { text in
                text.value("bootstrap_servers", kafka.bootstrapServers)
                text.sections("properties", kafka.properties) { name, value in
                    KafkaSettings.isHarmless(name) ? value.reveal() : value.description
                }
            }
        }
        text.section("topics") { text in
            text.value("prefix", log.topics.prefix)
            text.value("partitions", log.topics.partitions)
            text.value("control_partitions", log.topics.controlPartitions)
            text.value("replication", log.topics.replication)
            text.value("min_insync_replicas", log.topics.minInSyncReplicas)
            text.duration("dedup_window", log.topics.dedupWindow)
            text.value("max_event", ByteSizeText.format(log.topics.maximumEventBytes))
            text.duration("dead_letter_retention", log.topics.deadLetterRetention)
        }
    }

    private func write(_ retry: RetryPolicy, to text: inout YamlWriter) {
        text.value("max_attempts", Int(retry.maxAttempts))
        text.duration("initial", retry.initial)
        text.value("factor", retry.factor)
        text.duration("max", retry.maximum)
        text.value("jitter", retry.jitter)
        text.value("max_age", retry.maxAge.map { DurationText.format(.milliseconds($0)) } ?? "none")
    }

    private func write(_ task: TaskSettings, to text: inout YamlWriter) {
        text.value("queue", task.queue)
        text.duration("timeout", task.timeout)
        text.section("retry") { write(task.retry, to: &$0) }
        switch task.handler {
        case .exec(let exec):
            text.section("exec") { text in
                text.list("command", exec.command)
                text.value("directory", exec.directory)
                text.sections("environment", exec.environment) { $1.description }
                text.list("inherit", exec.inherit)
                if !exec.exitCodes.isEmpty {
                    text.section("exit_codes") { text in
                        for meaning in ExecSettings.ExitMeaning.allCases {
                            let codes = exec.exitCodes.filter { $0.value == meaning }.keys.sorted()
                            if !codes.isEmpty { text.numbers(meaning.rawValue, codes) }
                        }
                    }
                }
                text.duration("kill_after", exec.killAfter)
            }
        case .http(let http):
            text.section("http") { text in
                text.value("url", http.url.firstIndex(of: "?").map { http.url[..<$0] + "?…" } ?? http.url)
                text.value("method", http.method.rawValue)
                text.sections("headers", http.headers) { $1.description }
                text.value("connections", http.connections)
            }
        case nil: break
        }
    }

    private func write(_ schedule: ScheduleSettings, to text: inout YamlWriter) {
        let spec = schedule.spec
        text.value("task", spec.task)
        switch schedule.trigger {
        case .cron(let expression): text.value("cron", expression)
        case .interval(let milliseconds): text.duration("interval", milliseconds)
        case .at(let moment): text.value("at", moment)
        case .composed: break
        }
        for (key, json) in schedule.more.sorted(by: { $0.key < $1.key }) {
            text.raw(key, json.replacing("${", with: "$${"))
        }
        text.value("time_zone", schedule.timeZone)
        if !spec.payload.isEmpty {
            // JSON is YAML, but for the `${` that would be replaced.
            text.raw("payload", String(decoding: spec.payload, as: UTF8.self).replacing("${", with: "$${"))
        }
        text.value("catch_up", spec.catchUp.rawValue)
        text.duration("max_age", spec.maxAge)
        text.value("max_count", spec.maxCount)
        text.duration("catch_up_spacing", spec.catchUpSpacing)
        if let runs = spec.maxRuns { text.value("max_runs", runs) }
        text.value("overlap", spec.overlap.rawValue)
        if let instances = spec.maxInstances { text.value("max_instances", instances) }
        if spec.overlap == .bufferAll {
            text.value("max_buffered", spec.maxBuffered ?? Int(OverlapRule.defaultBuffered))
        }
        text.value("pause_on_failure", spec.pausesOnFailure)
        text.value("queue", spec.queue)
        text.value("key", spec.key)
        text.duration("jitter", spec.jitter)
        text.value("start", spec.start?.rfc3339)
        text.value("end", spec.end?.rfc3339)
        if let expiry = spec.expiry { text.duration("expires_after", expiry) }
        if let retry = spec.retryPolicy { text.section("retry") { write(retry, to: &$0) } }
        text.value("paused", schedule.isPaused)
    }
}

extension KafkaSettings {
    /// Properties whose values never hold a secret.
    fileprivate static func isHarmless(_ name: String) -> Bool {
        let known: Set<String> = [
            "security.protocol", "sasl.mechanism", "sasl.mechanisms", "client.id", "ssl.ca.location",
            "ssl.certificate.location", "ssl.endpoint.identification.algorithm", "enable.ssl.certificate.verification",
            "compression.codec", "compression.type", "client.rack", "broker.address.family", "linger.ms",
        ]
        return known.contains(name)
    }
}
