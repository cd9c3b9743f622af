internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension Configuration {
    /// The file that is read when none is named, if it exists.
    package static let standardPath = "tidemill.yaml"
    /// Names the file when the command line does not.
    package static let pathVariable = "TIDEMILL_CONFIG"

    /// The file to read: the one that the command line names, else the environment, else ``standardPath`` if there is
    /// such a file. Nil: there is none, and the defaults hold.
    package static func locate(explicit: String?, environment: [String: String]) -> String? {
        if let named = explicit ?? environment[pathVariable].flatMap({ $0.isEmpty ? nil : $0 }) { return named }
        return access(standardPath, F_OK) == 0 ? standardPath : nil
    }

    /// The configuration in the file at `path` (nil: no file), with the environment on top of it.
    ///
    /// Throws ``ConfigurationError`` with everything that is wrong. Relative paths in it begin in the folder of the
    /// file, or where the process runs when there is none. How the environment comes in: ``EnvironmentOverrides`` and
    /// ``Substitution``.
    package static func load(
        path: String?, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        guard let path else { return try load(text: [], file: "", directory: ".", environment: environment) }
        let directory = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        return try load(text: try read(path), file: path, directory: directory, environment: environment)
    }

    /// The configuration in `text`; `file` is its name in messages.
    package static func load(
        text: [UInt8], file: String, directory: String, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        var issues: [ConfigurationIssue] = []
        let empty = YamlNode(content: .mapping([]), location: .file(file, line: 1, column: 1))
        var root = YamlReader.read(text, file: file, issues: &issues) ?? empty
        if root.isEmpty { root = empty }
        var substitution = Substitution(environment: environment)
        root = substitution.apply(to: root)
        var overrides = EnvironmentOverrides()
        root = overrides.apply(environment, to: root)
        let context = LoadContext(directory: directory)
        let configuration = SectionReader.read(root, context: context) { Configuration(reading: &$0) }
        issues += substitution.issues + overrides.issues + context.issues
        guard issues.isEmpty else { throw ConfigurationError(inFileOrder(issues)) }
        return configuration
    }

    /// The paths of all keys that a configuration may have, `*` for a name of the user's choice.
    static var keys: Set<String> {
        let context = LoadContext(directory: ".", isCatalogue: true)
        _ = SectionReader.read(nil, context: context) { Configuration(reading: &$0) }
        return context.keys
    }

    private static func inFileOrder(_ issues: [ConfigurationIssue]) -> [ConfigurationIssue] {
        func place(_ issue: ConfigurationIssue, _ order: Int) -> (line: Int, column: Int, order: Int) {
            if case .file(_, let line, let column) = issue.location { (line, column, order) } else { (.max, 0, order) }
        }
        return issues.enumerated()
            .sorted { place($0.element, $0.offset) < place($1.element, $1.offset) }
            .map(\.element)
    }

    private static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        // One byte past the limit is enough for the reader to refuse the file.
        while bytes.count <= YamlReader.maximumBytes {
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path) }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    private static func unreadable(_ path: String) -> ConfigurationError {
        let reason = String(cString: strerror(errno))
        return ConfigurationError([
            ConfigurationIssue(.file(path, line: 1, column: 1), "", "cannot be read: \(reason)")
        ])
    }
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}

// MARK: The top level

extension Configuration {
    fileprivate init(reading reader: inout SectionReader) {
        self.init()
        log = reader.section("log") { LogSettings(reading: &$0) }
        defaults = reader.section("defaults") { TaskDefaults(reading: &$0) }
        let partitions = log.topics.partitions
        queues = reader.sections("queues", name: Names.problemOfQueue) { _, section in
            QueueSettings(
                partitions: section.value("partitions", .integer(Limits.partitions)) ?? partitions,
                weight: section.value("weight", .integer(1...1000)) ?? 1)
        }
        if queues[TopicNames.defaultQueue] == nil {
            queues[TopicNames.defaultQueue] = QueueSettings(partitions: partitions)
        }
        let queueNames = Set(queues.keys)
        worker = reader.section("worker") { WorkerSettings(reading: &$0, queues: queueNames) }
        scheduler = reader.section("scheduler") { SchedulerSettings(reading: &$0) }
        observability = reader.section("observability") { ObservabilitySettings(reading: &$0) }
        let defaults = defaults
        tasks = reader.sections("tasks", name: Names.problemOfTask) { _, section in
            TaskSettings(reading: &section, defaults: defaults, queues: queueNames)
        }
        let tasks = tasks
        schedules = reader.sections("schedules", name: Names.problemOfSchedule) { id, section in
            ScheduleSettings(id: id, reading: &section, tasks: tasks, defaults: defaults, queues: queueNames)
        }
    }
}

/// What several sections may ask for at most.
enum Limits {
    static let partitions = 1...10_000
    static let second: Int64 = 1000
    static let hour: Int64 = 3_600_000
    static let day: Int64 = 86_400_000
    static let year: Int64 = 366 * 86_400_000
}

/// What is wrong with a name of the user's choice; nil when nothing is.
enum Names {
    static func problemOfQueue(_ name: String) -> String? {
        TopicNames.isValidQueueName(name)
            ? nil : "is not the name of a queue: give 1 to 100 letters, digits, `.`, `_` or `-`"
    }

    static func problemOfSchedule(_ name: String) -> String? {
        TopicNames.isValidQueueName(name)
            ? nil : "is not the id of a schedule: give 1 to 100 letters, digits, `.`, `_` or `-`"
    }

    static func problemOfTask(_ name: String) -> String? {
        let isFine =
            (1...200).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
        return isFine ? nil : "is not the name of a task: give 1 to 200 bytes without spaces and control characters"
    }

    static func problemOfVariable(_ name: String) -> String? {
        name.isEmpty || name.contains("=") || name.utf8.contains(0) ? "is not the name of an environment variable" : nil
    }

    static func problemOfHeader(_ name: String) -> String? {
        let isToken = name.utf8.allSatisfy { byte in
            byte.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
        return name.isEmpty || !isToken ? "is not the name of a header" : nil
    }

    static func problemOfProperty(_ name: String) -> String? {
        if KafkaSettings.reserved.contains(name) {
            return name == "bootstrap.servers" || name == "metadata.broker.list"
                ? "is given as `bootstrap_servers`" : "is set by Tidemill, whose guarantees rest on it"
        }
        let isFine = name.utf8.allSatisfy { byte in
            byte.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || "._-".utf8.contains(byte)
        }
        return name.isEmpty || !isFine ? "is not the name of a Kafka client property" : nil
    }

    /// `path` is the section that names `queue` under `key`.
    static func check(_ queue: String, among known: Set<String>, _ key: String, _ reader: SectionReader) {
        guard !known.contains(queue), !reader.context.isCatalogue else { return }
        let hint = Suggestion.closest(to: queue, among: known.sorted()).map { "; did you mean `\($0)`?" } ?? ""
        reader.report(key, "there is no queue `\(queue)` under `queues`\(hint)")
    }
}
