internal import TaskModel

/// What one loading collects.
final class LoadContext {
    /// Walks every key there is instead of those that are written, to list them.
    let isCatalogue: Bool
    /// Where relative paths begin.
    let directory: String
    var issues: [ConfigurationIssue] = []
    /// Paths of all keys that were asked for, with `*` for a name of the user's choice.
    var keys: Set<String> = []

    init(directory: String, isCatalogue: Bool = false) {
        self.directory = directory
        self.isCatalogue = isCatalogue
    }
}

/// A mapping that is read key by key. What was not asked for when it ends is an unknown key.
///
/// Every getter returns nil for a key that is absent, and for one whose value is wrong after reporting it: a loader goes
/// on with the default, so that all mistakes are found in one go.
struct SectionReader {
    let context: LoadContext
    let path: [String]
    let location: SourceLocation
    private let entries: [String: YamlNode.Entry]
    private var known: Set<String> = []

    /// `node` nil is an absent section: nothing is written in it. Reports a node that is no mapping.
    private init(_ node: YamlNode?, path: [String], context: LoadContext) {
        self.context = context
        self.path = path
        location = node?.location ?? .defaults
        var entries: [String: YamlNode.Entry] = [:]
        if let node {
            switch node.content {
            case .mapping(let written): for entry in written { entries[entry.key] = entry }
            case .refused: break
            case .scalar, .sequence:
                let what =
                    node.isEmpty ? "is empty; give a mapping, or leave the key out" : "is \(node.kind), not a mapping"
                context.issues.append(ConfigurationIssue(node.location, KeyPath.text(path), what))
            }
        }
        self.entries = entries
    }

    /// Reads `node` with `body` and reports the keys that `body` did not ask for.
    static func read<Value>(
        _ node: YamlNode?, path: [String] = [], context: LoadContext, _ body: (inout SectionReader) -> Value
    ) -> Value {
        var reader = SectionReader(node, path: path, context: context)
        let value = body(&reader)
        reader.reportUnknownKeys()
        return value
    }

    // MARK: Sections

    /// A section that has its defaults when it is absent.
    mutating func section<Value>(_ key: String, _ body: (inout SectionReader) -> Value) -> Value {
        let node = take(key)
        return Self.read(node, path: path + [key], context: context, body)
    }

    /// A section that means nothing when it is absent.
    mutating func optionalSection<Value>(_ key: String, _ body: (inout SectionReader) -> Value?) -> Value? {
        guard let node = take(key) else {
            if context.isCatalogue { _ = Self.read(nil, path: path + [key], context: context, body) }
            return nil
        }
        return Self.read(node, path: path + [key], context: context, body)
    }

    /// A mapping from names of the user's choice to sections; `check` says what is wrong with a name.
    mutating func sections<Value>(
        _ key: String, name check: (String) -> String?, _ body: (String, inout SectionReader) -> Value?
    ) -> [String: Value] {
        var result: [String: Value] = [:]
        for entry in members(of: key) {
            if let problem = check(entry.key) {
                report(entry.keyLocation, path + [key, entry.key], problem)
                continue
            }
            result[entry.key] = Self.read(entry.value, path: path + [key, entry.key], context: context) {
                body(entry.key, &$0)
            }
        }
        if context.isCatalogue {
            _ = Self.read(nil, path: path + [key, "*"], context: context) { body("*", &$0) }
        }
        return result
    }

    /// A mapping from names to texts, numbers or booleans, taken as they are written. No message shows a value.
    mutating func secrets(_ key: String, name check: (String) -> String?) -> [String: Secret] {
        var result: [String: Secret] = [:]
        for entry in members(of: key) {
            let place = path + [key, entry.key]
            if let problem = check(entry.key) {
                report(entry.keyLocation, place, problem)
            } else if case .scalar(let scalar) = entry.value.content {
                if scalar.resolved == .null {
                    report(entry.value.location, place, "is empty; give a value, or \"\" for an empty text")
                } else {
                    result[entry.key] = Secret(scalar.text)
                }
            } else if entry.value.content != .refused {
                report(entry.value.location, place, "is \(entry.value.kind), not text")
            }
        }
        if context.isCatalogue { context.keys.insert(KeyPath.text(path + [key, "*"])) }
        return result
    }

    // MARK: Values

    mutating func value<Value>(_ key: String, _ syntax: ScalarSyntax<Value>) -> Value? {
        take(key).flatMap { scalar($0, path + [key], syntax) }
    }

    /// A value that must be there.
    mutating func required<Value>(_ key: String, _ syntax: ScalarSyntax<Value>) -> Value? {
        let node = take(key)
        if node == nil { report(location, path, "`\(key)` is missing") }
        return node.flatMap { scalar($0, path + [key], syntax) }
    }

    mutating func list<Value>(_ key: String, of syntax: ScalarSyntax<Value>) -> [Value]? {
        guard let node = take(key) else { return nil }
        switch node.content {
        case .sequence(let elements):
            let values = elements.enumerated().compactMap { scalar($1, path + [key, "[\($0)]"], syntax) }
            return values.count == elements.count ? values : nil
        case .refused: return nil
        case .scalar, .mapping:
            report(node.location, path + [key], "is \(node.kind), not a list such as [a, b]")
            return nil
        }
    }

    /// A list of sections; nil when it is absent, or one of them is wrong.
    mutating func sections<Value>(of key: String, _ body: (inout SectionReader) -> Value?) -> [Value]? {
        guard let node = take(key) else { return nil }
        switch node.content {
        case .sequence(let elements):
            let values = elements.enumerated().compactMap {
                Self.read($1, path: path + [key, "[\($0)]"], context: context, body)
            }
            return values.count == elements.count ? values : nil
        case .refused: return nil
        case .scalar, .mapping:
            report(node.location, path + [key], "is \(node.kind), not a list of mappings")
            return nil
        }
    }

    /// Any value, as canonical JSON.
    mutating func json(_ key: String) -> [UInt8]? {
        take(key)?.canonicalJSON(path: KeyPath.text(path + [key]), issues: &context.issues)
    }

    /// A path; a relative one begins in the folder of the configuration.
    mutating func path(_ key: String) -> String? {
        guard let text = value(key, .text) else { return nil }
        if text.hasPrefix("/") { return text }
        let plain = text.hasPrefix("./") ? String(text.dropFirst(2)) : text
        return context.directory.hasSuffix("/") ? context.directory + plain : context.directory + "/" + plain
    }

    // MARK: Reports

    /// Whether the key is written.
    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Whether a mapping is written there.
    func isMapping(_ key: String) -> Bool {
        if case .mapping = entries[key]?.value.content { true } else { false }
    }

    /// Whether nothing is written there, or `null`.
    func isEmpty(_ key: String) -> Bool { entries[key]?.value.isEmpty == true }

    /// The text of a value that is one and is not empty, without a look at what it means.
    func text(_ key: String) -> String? {
        guard case .scalar(let scalar) = entries[key]?.value.content, !isEmpty(key) else { return nil }
        return scalar.text
    }

    /// Takes note of a key whose value is read elsewhere.
    mutating func ignore(_ key: String) { _ = take(key) }

    /// Reports something about the value of `key`, where it is written, or about the section.
    func report(_ key: String, _ message: String) {
        report(entries[key]?.value.location ?? location, path + [key], message)
    }

    /// Reports something about the section as a whole.
    func report(_ message: String) {
        report(location, path, message)
    }

    private func report(_ location: SourceLocation, _ path: [String], _ message: String) {
        context.issues.append(ConfigurationIssue(location, KeyPath.text(path), message))
    }

    // MARK: Inside

    private mutating func take(_ key: String) -> YamlNode? {
        known.insert(key)
        if context.isCatalogue { context.keys.insert(KeyPath.text(path + [key])) }
        return entries[key]?.value
    }

    /// The entries of a mapping, in the order of their names.
    private mutating func members(of key: String) -> [YamlNode.Entry] {
        guard let node = take(key) else { return [] }
        let reader = SectionReader(node, path: path + [key], context: context)
        return reader.entries.values.sorted { $0.key < $1.key }
    }

    private func scalar<Value>(_ node: YamlNode, _ path: [String], _ syntax: ScalarSyntax<Value>) -> Value? {
        guard case .scalar(let scalar) = node.content else {
            if node.content != .refused { report(node.location, path, "is \(node.kind), not a single value") }
            return nil
        }
        let isFromFile = if case .environment = node.location { false } else { true }
        switch (scalar.resolved, syntax.strictness) {
        case (.null, _) where isFromFile || scalar.text.isEmpty:
            report(node.location, path, "is empty; give a value, or leave the key out")
            return nil
        case (.boolean, .words) where isFromFile, (.integer, .words) where isFromFile,
            (.number, .words) where isFromFile, (.ambiguous, .words) where isFromFile:
            report(node.location, path, "`\(scalar.written)` is \(scalar.kind); put it in quotes if it is a name")
            return nil
        case (.text, .boolean) where !scalar.isSubstituted && !scalar.isPlain:
            report(node.location, path, "`\(scalar.written)` is text; write true or false without quotes")
            return nil
        default: break
        }
        do {
            return try syntax.parse(scalar.text)
        } catch {
            let shown = scalar.written.count > 200 ? scalar.written.prefix(200) + "…" : scalar.written[...]
            report(node.location, path, "`\(shown)` \(error)")
            return nil
        }
    }

    private func reportUnknownKeys() {
        for entry in entries.values.sorted(by: { $0.key < $1.key }) where !known.contains(entry.key) {
            let hint =
                Suggestion.closest(to: entry.key, among: known.sorted()).map { "did you mean `\($0)`?" }
                ?? (known.isEmpty
                    ? "nothing is accepted here" : "accepted here: \(known.sorted().joined(separator: ", "))")
            report(entry.keyLocation, path + [entry.key], "unknown key; \(hint)")
        }
    }
}
