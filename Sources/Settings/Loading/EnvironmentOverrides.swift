/// Environment variables that replace values of the file: `TIDEMILL_WORKER__CONCURRENCY=4` is `worker.concurrency: 4`.
///
/// Two underscores mean "one level down"; upper case stands for lower case. A level that the file has is found whatever
/// its case and punctuation (`TIDEMILL_QUEUES__LONG_RUNNING__WEIGHT` finds `long-running`). A level that it does not have
/// gets the name in lower case, except where names follow other customs: below `log.kafka.properties` an underscore
/// becomes a dot, below `http.headers` a hyphen, and below `exec.environment` the name stays as it is.
///
/// A value is a scalar; one that begins with `[` or `{` is read as YAML's flow style. A variable without two underscores
/// is none of ours. A choice that the environment makes replaces the other one: `TIDEMILL_LOG__KAFKA__…` drops the file's
/// `log.embedded`.
struct EnvironmentOverrides {
    static let prefix = "TIDEMILL_"
    private static let choices = [["log", "embedded"], ["log", "kafka"]]

    private(set) var issues: [ConfigurationIssue] = []

    /// `root` with every override in `environment` applied, in the order of their names.
    mutating func apply(_ environment: [String: String], to root: YamlNode) -> YamlNode {
        var root = root
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix(Self.prefix) {
            let name = variable.dropFirst(Self.prefix.count)
            guard name.contains("__") else { continue }
            let segments = Self.segments(of: name)
            guard segments.allSatisfy({ !$0.isEmpty }) else {
                report(variable, "has an empty level; two underscores separate two names")
                continue
            }
            guard let node = parse(value, variable) else { continue }
            root = set(node, at: segments[...], in: root, path: [], variable: variable)
        }
        return root
    }

    private static func segments(of name: Substring) -> [String] {
        var segments = [""]
        var rest = name
        while !rest.isEmpty {
            if rest.hasPrefix("__") {
                segments.append("")
                rest = rest.dropFirst(2)
            } else {
                segments[segments.count - 1].append(rest.removeFirst())
            }
        }
        return segments
    }

    private mutating func parse(_ value: String, _ variable: String) -> YamlNode? {
        guard value.hasPrefix("[") || value.hasPrefix("{") else {
            let scalar = YamlScalar(text: value, isPlain: true)
            return YamlNode(content: .scalar(scalar), location: .environment(variable: variable))
        }
        return YamlReader.read(flow: value, variable: variable, issues: &issues)
    }

    private mutating func set(
        _ value: YamlNode, at segments: ArraySlice<String>, in node: YamlNode, path: [String], variable: String
    ) -> YamlNode {
        guard let segment = segments.first else { return value }
        var entries: [YamlNode.Entry]
        switch node.content {
        case .mapping(let existing): entries = existing
        case .scalar where node.isEmpty: entries = []
        case .scalar, .sequence:
            report(variable, "`\(KeyPath.text(path))` is \(node.kind), so nothing can be set below it")
            return node
        case .refused: return node
        }
        let location = SourceLocation.environment(variable: variable)
        let found = entries.firstIndex { Self.normalized($0.key) == Self.normalized(segment) }
        let key = found.map { entries[$0].key } ?? Self.newKey(segment, below: path)
        let old = found.map { entries[$0].value } ?? YamlNode(content: .mapping([]), location: location)
        let entry = YamlNode.Entry(
            key: key, keyLocation: location,
            value: set(value, at: segments.dropFirst(), in: old, path: path + [key], variable: variable))
        if let found { entries[found] = entry } else { entries.append(entry) }
        entries = Self.dropOtherChoices(than: path + [key], from: entries)
        return YamlNode(content: .mapping(entries), location: node.location)
    }

    /// Drops what the file says about the alternative of `chosen`.
    private static func dropOtherChoices(than chosen: [String], from entries: [YamlNode.Entry]) -> [YamlNode.Entry] {
        guard choices.contains(chosen) else { return entries }
        return entries.filter { entry in
            let other = chosen.dropLast() + [entry.key]
            if case .environment = entry.keyLocation { return true }
            return Array(other) == chosen || !choices.contains(Array(other))
        }
    }

    private static func normalized(_ key: String) -> String {
        String(key.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private static func newKey(_ segment: String, below path: [String]) -> String {
        if path == ["log", "kafka", "properties"] { return segment.lowercased().replacing("_", with: ".") }
        guard path.count == 4, path[0] == "tasks" else { return segment.lowercased() }
        switch (path[2], path[3]) {
        case ("http", "headers"): return segment.lowercased().replacing("_", with: "-")
        case ("exec", "environment"): return segment
        default: return segment.lowercased()
        }
    }

    private mutating func report(_ variable: String, _ message: String) {
        issues.append(ConfigurationIssue(.environment(variable: variable), "", message))
    }
}
