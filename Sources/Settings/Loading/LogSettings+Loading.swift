internal import TaskModel
internal import TaskTelemetry

extension LogSettings {
    init(reading reader: inout SectionReader) {
        self.init()
        let embedded = reader.optionalSection("embedded") { section -> Engine? in
            .embedded(path: section.path("path") ?? Self.standardPath(in: section.context.directory))
        }
        let kafka = reader.optionalSection("kafka") { section -> Engine? in
            let servers = section.required("bootstrap_servers", .bootstrapServers)
            let properties = section.secrets("properties", name: Names.problemOfProperty)
            return .kafka(KafkaSettings(bootstrapServers: servers ?? "", properties: properties))
        }
        if embedded != nil && kafka != nil {
            reader.report("kafka", "stands beside `embedded`; a log is one or the other")
        }
        engine = kafka ?? embedded ?? .embedded(path: Self.standardPath(in: reader.context.directory))
        topics = reader.section("topics") { TopicSettings(reading: &$0) }
    }

    private static func standardPath(in directory: String) -> String {
        directory == "." ? defaultPath : "\(directory == "/" ? "" : directory)/\(defaultPath.dropFirst(2))"
    }
}

extension ScalarSyntax where Value == String {
    /// `host:port`, separated by commas.
    fileprivate static var bootstrapServers: ScalarSyntax {
        .text("a list of brokers such as kafka-1:9092,kafka-2:9092") { text in
            text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { server in
                let server = server.drop { $0 == " " }
                guard let colon = server.lastIndex(of: ":"), colon > server.startIndex else { return false }
                let port = Int(server[server.index(after: colon)...].prefix { $0 != " " })
                return port.map { (1...65535).contains($0) } ?? false
            }
        }
    }

    fileprivate static var topicPrefix: ScalarSyntax {
        .text("a topic prefix: at most 100 letters, digits, `.`, `_` or `-`", TopicNames.isValidQueueName)
    }
}

extension TopicSettings {
    init(reading reader: inout SectionReader) {
        self.init()
        prefix = reader.value("prefix", .topicPrefix) ?? prefix
        partitions = reader.value("partitions", .integer(Limits.partitions)) ?? partitions
        controlPartitions = reader.value("control_partitions", .integer(1...1000)) ?? controlPartitions
        replication = reader.value("replication", .integer(1...32)) ?? replication
        minInSyncReplicas =
            reader.value("min_insync_replicas", .integer(1...32)) ?? min(minInSyncReplicas, replication)
        if minInSyncReplicas > replication {
            reader.report("min_insync_replicas", "is \(minInSyncReplicas), more than the replication of \(replication)")
        }
        dedupWindow = reader.value("dedup_window", .duration(60 * Limits.second...90 * Limits.day)) ?? dedupWindow
        maximumEventBytes = reader.value("max_event", .size(1024...64 << 20)) ?? maximumEventBytes
        deadLetterRetention =
            reader.value("dead_letter_retention", .duration(Limits.day...100 * Limits.year)) ?? deadLetterRetention
    }
}

extension WorkerSettings {
    init(reading reader: inout SectionReader, queues known: Set<String>) {
        self.init()
        id = reader.value(
            "id", .text("a worker's id: at most 100 letters, digits, `.`, `_` or `-`", TopicNames.isValidQueueName))
        if let queues = reader.list("queues", of: .text) {
            for queue in queues { Names.check(queue, among: known, "queues", reader) }
            if queues.isEmpty {
                reader.report("queues", "is empty; name a queue, or leave the key out for all of them")
            }
            self.queues = queues
        }
        concurrency = reader.value("concurrency", .integer(1...100_000)) ?? concurrency
        grace = reader.value("grace", .duration(0...Limits.day)) ?? grace
        lease = reader.value("lease", .duration(5 * Limits.second...Limits.hour)) ?? lease
        unknownTaskMaxAge =
            reader.value("unknown_task_max_age", .duration(0...Limits.year)) ?? unknownTaskMaxAge
        sessionTimeout = reader.value("session_timeout", .sessionTimeout) ?? sessionTimeout
    }
}

extension SchedulerSettings {
    init(reading reader: inout SectionReader) {
        self.init()
        sessionTimeout = reader.value("session_timeout", .sessionTimeout) ?? sessionTimeout
        maximumClockLead = reader.value("max_clock_lead", .duration(100...Limits.hour)) ?? maximumClockLead
        payloadMemory = reader.value("payload_memory", .size(1 << 20...1 << 40)) ?? payloadMemory
    }
}

extension ScalarSyntax where Value == Int64 {
    /// What brokers accept by default.
    fileprivate static var sessionTimeout: ScalarSyntax { .duration(6 * Limits.second...1_800_000) }
}

extension ObservabilitySettings {
    init(reading reader: inout SectionReader) {
        self.init()
        logLevel = reader.value("log_level", .logLevel) ?? logLevel
        logFormat = reader.value("log_format", .choice) ?? logFormat
        metrics = reader.optionalSection("metrics") { section in
            let address = section.required("listen", .address)
            let allowRemote = section.value("allow_remote", .boolean) ?? false
            guard let address else { return nil }
            if !allowRemote && !address.isLoopback {
                section.report(
                    "listen",
                    "`\(address.host)` can be reached by others, and nothing there asks for a password; "
                        + "give 127.0.0.1, or add `allow_remote: true`")
            }
            return Metrics(host: address.host, port: address.port, allowRemote: allowRemote)
        }
    }
}

extension ScalarSyntax where Value == LogLevel {
    fileprivate static var logLevel: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            let names = LogLevel.allCases.map { "\($0)" }
            if names.contains(text), let level = LogLevel(name: text) { return level }
            let hint = Suggestion.closest(to: text, among: names).map { "; did you mean \($0)?" } ?? ""
            throw TextError("is not one of \(names.joined(separator: ", "))\(hint)")
        }
    }
}

/// Where to listen: `127.0.0.1:9464`, `localhost:9464`, `[::1]:9464`.
struct ListenAddress: Hashable {
    var host: String
    var port: Int

    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else { return nil }
        self.host = String(host)
        self.port = port
    }
}

extension ScalarSyntax where Value == ListenAddress {
    fileprivate static var address: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard let address = ListenAddress(text) else {
                throw TextError("is not an address with a port such as 127.0.0.1:9464 or [::1]:9464")
            }
            return address
        }
    }
}
