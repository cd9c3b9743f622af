import Foundation
import TaskModel
import Testing

@testable import Settings

/// Loads YAML, or hands back what is wrong with it.
private func load(_ text: String, _ environment: [String: String] = [:]) -> Result<Configuration, ConfigurationError> {
    Result { () throws(ConfigurationError) in
        try Configuration.load(
            text: Array(text.utf8), file: "tidemill.yaml", directory: "/etc/tidemill", environment: environment)
    }
}

private func issues(_ text: String, _ environment: [String: String] = [:]) -> [String] {
    switch load(text, environment) {
    case .success: []
    case .failure(let error): error.issues.map(\.description)
    }
}

struct ConfigurationTests {
    @Test func nothingGivesTheDefaults() throws {
        let configuration = try load("").get()
        #expect(configuration.log.engine == .embedded(path: "/etc/tidemill/data/tidemill.db"))
        #expect(configuration.worker == WorkerSettings())
        #expect(configuration.queues == ["default": QueueSettings(partitions: 12)])
        #expect(configuration.observability.metrics == nil)
        #expect(try Configuration.load(path: nil, environment: [:]) == .default)
        #expect(Configuration.default.log.engine == .embedded(path: "./data/tidemill.db"))
    }

    @Test func everySectionIsRead() throws {
        let configuration = try load(
            """
            log:
              kafka: { bootstrap_servers: "k:9092", properties: { security.protocol: SASL_SSL, linger.ms: 5 } }
              topics: { prefix: prod., partitions: 24, replication: 1, dedup_window: 2h, max_event: 2MiB }
            worker: { concurrency: 4, queues: [reports], grace: 5s }
            scheduler: { max_clock_lead: 2s }
            observability: { log_level: debug, log_format: json, metrics: { listen: "[::1]:0" } }
            defaults: { timeout: 5m, retry: { max_attempts: 9, max_age: none } }
            queues: { reports: { weight: 3 } }
            """
        ).get()
        #expect(
            configuration.log.engine
                == .kafka(
                    KafkaSettings(
                        bootstrapServers: "k:9092",
                        properties: ["security.protocol": Secret("SASL_SSL"), "linger.ms": Secret("5")])))
        #expect(configuration.log.topics.minInSyncReplicas == 1)
        #expect(configuration.worker.concurrency == 4)
        #expect(configuration.worker.queues == ["reports"])
        #expect(configuration.scheduler.maximumClockLead == 2000)
        #expect(configuration.observability.logLevel == .debug)
        #expect(configuration.observability.metrics == .init(host: "::1", port: 0))
        #expect(configuration.defaults.retry.maxAge == nil)
        #expect(
            configuration.queues == ["default": .init(partitions: 24), "reports": .init(partitions: 24, weight: 3)])
        #expect(configuration.topicPlan.names.retry == "prod.retry")
        #expect(configuration.topicPlan.queues.map(\.name) == ["default", "reports"])
        #expect(configuration.topicPlan.maximumEventBytes == 2 << 20)
    }

    @Test func tasksInheritTheDefaults() throws {
        let configuration = try load(
            """
            defaults: { timeout: 5m, retry: { max_attempts: 9, initial: 2s } }
            queues: { reports: {} }
            tasks:
              report:
                queue: reports
                retry: { initial: 3s }
                exec:
                  command: [python3, report.py, 10, true]
                  directory: scripts
                  environment: { TOKEN: "${TOKEN}", WORKERS: 4 }
                  exit_codes: { retry: [75, 1], fail: [64] }
              sync: { timeout: 10s, http: { url: "https://x/y?z=1", headers: { Authorization: "Bearer ${TOKEN}" } } }
              ping: {}
            """, ["TOKEN": "s3cret"]
        ).get()
        let report = try #require(configuration.tasks["report"])
        #expect(report.timeout == 300_000)
        #expect(report.retry == RetryPolicy(initial: 3000, maxAttempts: 9))
        #expect(
            report.handler
                == .exec(
                    ExecSettings(
                        command: ["python3", "report.py", "10", "true"], directory: "/etc/tidemill/scripts",
                        environment: ["TOKEN": Secret("s3cret"), "WORKERS": Secret("4")],
                        exitCodes: [75: .retry, 1: .retry, 64: .fail])))
        #expect(
            configuration.tasks["sync"]?.handler
                == .http(HTTPSettings(url: "https://x/y?z=1", headers: ["Authorization": Secret("Bearer s3cret")])))
        #expect(configuration.tasks["ping"]?.handler == nil)
    }

    @Test func schedules() throws {
        let configuration = try load(
            """
            queues: { reports: {} }
            tasks: { report: { queue: reports, retry: { max_attempts: 2 } } }
            schedules:
              nightly:
                task: report
                cron: "0 3 * * *"
                time_zone: Europe/Berlin
                payload: { b: [1, 2.50], a: yes, c: "${ID}" }
                catch_up: all
                max_count: 7
                overlap: allow
                max_instances: 2
                pause_on_failure: true
                jitter: 10s
                start: "2026-01-01T00:00:00Z"
                retry: { initial: 4s }
              beat: { task: ping, interval: 30s, paused: true }
              once: { task: ping, at: "2027-01-01T09:00", time_zone: Europe/Berlin, key: lane }
            """, ["ID": "7"]
        ).get()
        let nightly = try #require(configuration.schedules["nightly"])
        #expect(nightly.trigger == .cron("0 3 * * *"))
        #expect(nightly.spec.id == "nightly")
        #expect(try nightly.spec.trigger == .cron("0 3 * * *", zone: "Europe/Berlin"))
        #expect(nightly.spec.triggerText == "0 3 * * * (Europe/Berlin)")
        #expect(nightly.spec.queue == "reports")
        #expect(String(decoding: nightly.spec.payload, as: UTF8.self) == #"{"a":"yes","b":[1,2.5],"c":"7"}"#)
        #expect(nightly.spec.contentType == "application/json")
        #expect(nightly.spec.catchUp == .all)
        #expect(nightly.spec.maxCount == 7)
        #expect(nightly.spec.overlap == .allow && nightly.spec.maxInstances == 2 && nightly.spec.pausesOnFailure)
        #expect(nightly.spec.retryPolicy == RetryPolicy(initial: 4000, maxAttempts: 2))
        #expect(nightly.spec.start == Timestamp(milliseconds: 1_767_225_600_000))
        #expect(nightly.spec.origin == .file("tidemill.yaml"))
        #expect(nightly.location == .file("tidemill.yaml", line: 5, column: 5))
        #expect(configuration.schedules["beat"]?.spec.trigger == .interval(milliseconds: 30_000, anchor: nil))
        #expect(configuration.schedules["beat"]?.isPaused == true)
        #expect(configuration.schedules["once"]?.spec.key == "lane")
        #expect(configuration.schedules["once"]?.spec.trigger == .at(Timestamp(milliseconds: 1_798_790_400_000)))
    }

    // MARK: Mistakes

    @Test func allMistakesAreReportedInOrder() {
        #expect(
            issues(
                """
                worker:
                  concurrency: lots
                  grce: 5s
                schedules:
                  nightly: { task: report, cron: "0 3 * * *", overlap: quueue }
                log: { topics: { replication: 1, min_insync_replicas: 2 } }
                """) == [
                    "tidemill.yaml:2:16: worker.concurrency: `lots` is not a whole number from 1 to 100000",
                    "tidemill.yaml:3:3: worker.grce: unknown key; did you mean `grace`?",
                    "tidemill.yaml:5:56: schedules.nightly.overlap: `quueue` is not one of skip, buffer-one, "
                        + "buffer-all, cancel-other, terminate-other, allow",
                    "tidemill.yaml:6:55: log.topics.min_insync_replicas: is 2, more than the replication of 1",
                ])
    }

    @Test(arguments: [
        ("worker: { grace: 10 }", "worker.grace: `10` needs a unit: did you mean 10s?"),
        ("worker: { grace: 48h }", "is out of bounds; give a duration from 0s to 1d"),
        ("worker:", "worker: is empty; give a mapping, or leave the key out"),
        ("worker: { id: }", "worker.id: is empty; give a value"),
        ("worker: { id: 12 }", "worker.id: `12` is a number; put it in quotes if it is a name"),
        ("worker: { concurrency: [1] }", "worker.concurrency: is a list, not a single value"),
        ("worker: { queues: default }", "worker.queues: is text, not a list"),
        ("worker: { queues: [defualt] }", "there is no queue `defualt` under `queues`; did you mean `default`?"),
        ("- a", "1:1: is a list, not a mapping"),
        ("wroker: {}", "wroker: unknown key; did you mean `worker`?"),
        ("worker: { zzz: 1 }", "worker.zzz: unknown key; accepted here: concurrency, grace, id"),
        ("log: { embedded: {}, kafka: { bootstrap_servers: 'a:1' } }", "log.kafka: stands beside `embedded`"),
        ("log: { kafka: {} }", "log.kafka: `bootstrap_servers` is missing"),
        ("log: { kafka: { bootstrap_servers: kafka } }", "is not a list of brokers such as"),
        ("log: { kafka: { bootstrap_servers: 'a:1', properties: { acks: 1 } } }", "acks: is set by Tidemill"),
        ("observability: { metrics: { listen: '0.0.0.0:9464' } }", "can be reached by others"),
        ("observability: { metrics: { listen: '127.0.0.1:1', allow_remote: 'yes' } }", "write true or false without"),
        ("defaults: { retry: { initial: 2h } }", "defaults.retry: max must be at least initial"),
        ("tasks: { a: { exec: {} } }", "tasks.a.exec: `command` is missing"),
        ("tasks: { a: { exec: { command: [''] } } }", "names no program"),
        (
            "tasks: { a: { exec: { command: [x], exit_codes: { retry: [1], fail: [1] } } } }",
            "also listed under `retry`"
        ),
        ("tasks: { a: { http: { url: 'ftp://x' } } }", "tasks.a.http.url: is not an http or https URL"),
        ("tasks: { 'a b': {} }", "is not the name of a task"),
        ("queues: { 'a/b': {} }", "is not the name of a queue"),
        ("schedules: { a: { task: x } }", "schedules.a: has no trigger; give one of `cron`, `interval` and `at`"),
        ("schedules: { a: { task: x, interval: 1s, cron: x } }", "schedules.a.interval: stands beside `cron`"),
        ("schedules: { a: { task: x, interval: 1s, time_zone: UTC } }", "means nothing beside `interval`"),
        ("schedules: { a: { task: x, cron: '* * * * *', time_zone: Europe/Berlim } }", "did you mean Europe/Berlin?"),
        ("schedules: { a: { task: x, at: '2027-01-01T09:00' } }", "has no offset"),
        ("schedules: { a: { task: x, at: '2027-01-01T09:00:00Z', time_zone: UTC } }", "has its own offset"),
        ("schedules: { a: { task: x, at: tomorrow } }", "schedules.a.at: \"tomorrow\" is no date-time"),
        ("schedules: { a: { task: x, cron: '61 * * * *' } }", "schedules.a.cron: "),
        (
            "schedules: { a: { task: x, interval: 1s, end: '2020-01-01T00:00:00Z', start: '2021-01-01T00:00:00Z' } }",
            "schedules.a: start must not be after end"
        ),
        ("schedules: { a: { task: x, interval: 1s, retry: { initial: 2h } } }", "schedules.a.retry: max must be at"),
        ("schedules: { a: { task: x, interval: 1s, queue: que } }", "there is no queue `que` under `queues`"),
        ("schedules: { a: { interval: 1s } }", "schedules.a: `task` is missing"),
        (
            "schedules: { a: { task: x, interval: 1s, max_instances: 2 } }",
            "schedules.a: max_instances goes with overlap allow, and overlap is skip"
        ),
        (
            "schedules: { a: { task: x, interval: 1s, overlap: buffer-one, max_buffered: 2 } }",
            "schedules.a: max_buffered goes with overlap buffer-all, and overlap is buffer-one"
        ),
        ("schedules: { a: { task: x, interval: 1s, overlap: buffer-all, max_buffered: 251 } }", "from 1 to 250"),
        ("schedules: { a: { task: x, interval: 1ms } }", "is out of bounds"),
        ("schedules: { a: { task: x, interval: 1s, payload: { n: 010 } } }", "payload.n: `010` cannot be read"),
    ])
    func mistakes(text: String, message: String) {
        let found = issues(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test func aMissingFileIsNamed() {
        #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/nowhere/t.yaml", environment: [:]) }
        do {
            _ = try Configuration.load(path: "/nowhere/t.yaml", environment: [:])
        } catch {
            #expect(error.description == "/nowhere/t.yaml:1:1: cannot be read: No such file or directory")
        }
    }

    @Test func whichFileIsRead() {
        #expect(Configuration.locate(explicit: "a", environment: ["TIDEMILL_CONFIG": "b"]) == "a")
        #expect(Configuration.locate(explicit: nil, environment: ["TIDEMILL_CONFIG": "b"]) == "b")
    }

    // MARK: The environment

    @Test func substitution() throws {
        let text = "worker: { concurrency: '${N}', id: 'w-${HOST:-local}' }"
        #expect(try load(text, ["N": "3"]).get().worker.concurrency == 3)
        #expect(try load(text, ["N": "3"]).get().worker.id == "w-local")
        #expect(try load(text, ["N": "3", "HOST": "x"]).get().worker.id == "w-x")
        #expect(
            try load("tasks: { a: { exec: { command: ['$HOME', '$${X}', 'a$'] } } }").get().tasks["a"]?.handler
                == .exec(ExecSettings(command: ["$HOME", "${X}", "a$"])))
    }

    @Test(arguments: [
        ("worker: { id: '${NO_SUCH}' }", "worker.id: the environment variable NO_SUCH is not set"),
        ("worker: { id: '${}' }", "`${}` does not name an environment variable"),
        ("worker: { id: '${a-b}' }", "`${a-b}` does not name an environment variable"),
        ("worker: { id: '${A' }", "worker.id: `${` has no `}`"),
        ("worker: { queues: ['${NO_SUCH}'] }", "worker.queues[0]: the environment variable NO_SUCH is not set"),
    ])
    func substitutionMistakes(text: String, message: String) {
        let found = issues(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    @Test func messagesShowTheNameAndNotTheValueOfAVariable() {
        #expect(
            issues("worker: { concurrency: '${N}' }", ["N": "hunter2"])
                == ["tidemill.yaml:1:24: worker.concurrency: `${N}` is not a whole number from 1 to 100000"])
        #expect(
            issues("tasks: { a: { http: { url: 'https://u:hunter2@x' } } }")
                == ["tidemill.yaml:1:28: tasks.a.http.url: holds a user or password; send them in a header instead"])
    }

    @Test func overrides() throws {
        let environment = [
            "TIDEMILL_WORKER__CONCURRENCY": "3", "TIDEMILL_WORKER__QUEUES": "[long-running]",
            "TIDEMILL_QUEUES__LONG_RUNNING__WEIGHT": "5", "TIDEMILL_QUEUES__NEW__WEIGHT": "2",
            "TIDEMILL_LOG__KAFKA__BOOTSTRAP_SERVERS": "k:1",
            "TIDEMILL_LOG__KAFKA__PROPERTIES__SASL_PASSWORD": "x ${y}",
            "TIDEMILL_TASKS__A__EXEC__ENVIRONMENT__MY_KEY": "1",
            "TIDEMILL_TASKS__B": "{http: {url: 'http://x'}}", "TIDEMILL_TASKS__B__HTTP__HEADERS__X_KEY": "k",
            "TIDEMILL_TEST_BOOTSTRAP": "ignored", "TIDEMILL_CONFIG": "ignored",
        ]
        let configuration = try load(
            """
            log: { embedded: { path: /x } }
            worker: { concurrency: 1, grace: 5s }
            queues: { long-running: { partitions: 2 } }
            tasks: { a: { exec: { command: [ls] } } }
            """, environment
        ).get()
        #expect(configuration.worker.concurrency == 3)
        #expect(configuration.worker.grace == 5000)
        #expect(configuration.worker.queues == ["long-running"])
        #expect(configuration.queues["long-running"] == QueueSettings(partitions: 2, weight: 5))
        #expect(configuration.queues["new"]?.weight == 2)
        #expect(
            configuration.log.engine
                == .kafka(KafkaSettings(bootstrapServers: "k:1", properties: ["sasl.password": Secret("x ${y}")])))
        #expect(
            configuration.tasks["a"]?.handler
                == .exec(ExecSettings(command: ["ls"], environment: ["MY_KEY": Secret("1")])))
        #expect(
            configuration.tasks["b"]?.handler == .http(HTTPSettings(url: "http://x", headers: ["x-key": Secret("k")])))
    }

    @Test(arguments: [
        ("TIDEMILL_WORKER__CONCURRENCY", "lots", "worker.concurrency: `lots` is not a whole number"),
        ("TIDEMILL_WROKER__ID", "x", "wroker: unknown key; did you mean `worker`?"),
        ("TIDEMILL_WORKER__GRACE__X", "1", "`worker.grace` is text, so nothing can be set below it"),
        ("TIDEMILL_WORKER____ID", "1", "has an empty level"),
        ("TIDEMILL_WORKER__QUEUES", "[a", "did not find expected"),
        ("TIDEMILL_LOG__KAFKA__BOOTSTRAP_SERVERS", "", "log.kafka.bootstrap_servers: is empty"),
    ])
    func overrideMistakes(name: String, value: String, message: String) {
        let found = issues("worker: { grace: 5s }", [name: value])
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix("environment variable \(name): ") == true, "\(found)")
        #expect(found.first?.contains(message) == true, "\(found)")
    }

    // MARK: Secrets

    @Test func nothingShowsASecret() throws {
        let configuration = try load(
            """
            log: { kafka: { bootstrap_servers: "k:1", properties: { sasl.password: hunter2, security.protocol: SSL } } }
            tasks:
              a: { exec: { command: [ls], environment: { T: hunter2 } } }
              b: { http: { url: "http://x/?token=hunter2", headers: { Authorization: hunter2 } } }
            schedules: { s: { task: a, cron: "* * * * *", payload: { text: "a ${X:-b}" } } }
            """
        ).get()
        let text = configuration.redactedDescription()
        #expect(!text.contains("hunter2"))
        #expect(text.contains("security.protocol: SSL\n"))
        #expect(text.contains("sasl.password: \"<redacted>\"\n"))
        #expect(text.contains("url: \"http://x/?…\"\n"))
        #expect(!"\(configuration.log) \(configuration.tasks["a"]?.handler as Any)".contains("hunter2"))
        var dumped = ""
        dump(configuration.log, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(String(reflecting: Secret("hunter2")) == "<redacted>")
    }

    @Test func theDescriptionLoadsToTheSameConfiguration() throws {
        let text = """
            observability: { metrics: { listen: "[::1]:9464" } }
            tasks: { "true": { exec: { command: [echo, "${HOME}", "yes", "a: b"], exit_codes: { fail: [2] } } } }
            schedules: { s: { task: "true", at: "2027-01-01T09:00:00Z", payload: ["$${x}", 1.5, null] } }
            """
        var configuration = try load(text, ["HOME": "/root"]).get()
        var again = try load(configuration.redactedDescription()).get()
        configuration.schedules["s"]?.location = .defaults
        again.schedules["s"]?.location = .defaults
        #expect(again == configuration)
    }
}
