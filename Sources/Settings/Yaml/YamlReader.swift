import CYaml

/// Reads one YAML document into nodes, by libyaml's events.
///
/// Refused, each with its place: anchors, aliases and tags (a configuration is read by people; an alias bomb is not),
/// keys that occur twice or are not text, a second document, and anything beyond the limits.
struct YamlReader {
    static let maximumBytes = 4 << 20
    static let maximumDepth = 32
    static let maximumNodes = 100_000

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let locate: (yaml_mark_t) -> SourceLocation
    private var issues: [ConfigurationIssue] = []
    private var nodes = 0

    /// The document of a file; nil when it holds none. Issues are added to `issues`.
    static func read(_ text: [UInt8], file: String, issues: inout [ConfigurationIssue]) -> YamlNode? {
        read(text, issues: &issues) { mark in
            .file(file, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
        }
    }

    /// The value of an environment variable, written in YAML's flow style.
    static func read(flow text: String, variable: String, issues: inout [ConfigurationIssue]) -> YamlNode? {
        read(Array(text.utf8), issues: &issues) { _ in .environment(variable: variable) }
    }

    private static func read(
        _ text: [UInt8], issues: inout [ConfigurationIssue], locate: @escaping (yaml_mark_t) -> SourceLocation
    ) -> YamlNode? {
        guard text.count <= maximumBytes else {
            issues.append(
                ConfigurationIssue(locate(yaml_mark_t()), "", "is larger than \(ByteSizeText.format(maximumBytes))"))
            return nil
        }
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        precondition(yaml_parser_initialize(parser) == 1, "no memory is left for a YAML parser")
        defer { yaml_parser_delete(parser) }
        return text.withUnsafeBufferPointer { bytes in
            yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
            var reader = YamlReader(parser: parser, locate: locate)
            let document = reader.document()
            issues += reader.issues
            return document
        }
    }

    private init(parser: UnsafeMutablePointer<yaml_parser_t>, locate: @escaping (yaml_mark_t) -> SourceLocation) {
        self.parser = parser
        self.locate = locate
    }

    /// Ends the reading: what follows could not be understood.
    private struct Abort: Error {}

    private enum Event {
        case scalar(text: String, isPlain: Bool)
        case sequenceStart
        case mappingStart
        case end
        case documentStart
        case streamEnd
        case alias
        case other
    }

    private mutating func document() -> YamlNode? {
        do {
            while true {
                switch try next().event {
                case .documentStart: break
                case .streamEnd: return nil
                default: continue
                }
                let (event, location) = try next()
                let root = try node(event, location, depth: 0)
                _ = try next()
                let after = try next()
                if case .streamEnd = after.event { return root }
                report(after.location, "a second document begins here; a configuration is one document")
                return root
            }
        } catch {
            return nil
        }
    }

    /// The node that begins with `event`.
    private mutating func node(_ event: Event, _ location: SourceLocation, depth: Int) throws -> YamlNode {
        nodes += 1
        guard depth < Self.maximumDepth, nodes < Self.maximumNodes else {
            report(
                location,
                depth < Self.maximumDepth
                    ? "has more than \(Self.maximumNodes) values" : "is nested deeper than \(Self.maximumDepth) levels")
            throw Abort()
        }
        switch event {
        case .scalar(let text, let isPlain):
            return YamlNode(content: .scalar(YamlScalar(text: text, isPlain: isPlain)), location: location)
        case .sequenceStart: return try sequence(location, depth)
        case .mappingStart: return try mapping(location, depth)
        default: return YamlNode(content: .refused, location: location)
        }
    }

    private mutating func sequence(_ location: SourceLocation, _ depth: Int) throws -> YamlNode {
        var elements: [YamlNode] = []
        while true {
            let (event, place) = try next()
            if case .end = event { return YamlNode(content: .sequence(elements), location: location) }
            elements.append(try node(event, place, depth: depth + 1))
        }
    }

    private mutating func mapping(_ location: SourceLocation, _ depth: Int) throws -> YamlNode {
        var entries: [YamlNode.Entry] = []
        var seen: [String: SourceLocation] = [:]
        while true {
            let (event, place) = try next()
            if case .end = event { return YamlNode(content: .mapping(entries), location: location) }
            let keyNode = try node(event, place, depth: depth + 1)
            let (valueEvent, valuePlace) = try next()
            let value = try node(valueEvent, valuePlace, depth: depth + 1)
            guard case .scalar(let scalar) = keyNode.content else {
                report(place, "a key must be text")
                continue
            }
            if let first = seen[scalar.text] {
                report(place, "the key `\(scalar.text)` is here twice; the first is at \(first)")
                continue
            }
            seen[scalar.text] = place
            entries.append(YamlNode.Entry(key: scalar.text, keyLocation: place, value: value))
        }
    }

    private mutating func next() throws -> (event: Event, location: SourceLocation) {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it is not YAML"
            let context = parser.pointee.context.map { " (\(String(cString: $0)))" } ?? ""
            report(locate(parser.pointee.problem_mark), problem + context)
            throw Abort()
        }
        defer { yaml_event_delete(&raw) }
        let location = locate(raw.start_mark)
        return (classify(raw, location), location)
    }

    private mutating func classify(_ raw: yaml_event_t, _ location: SourceLocation) -> Event {
        switch raw.type {
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            refuseDecoration(anchor: scalar.anchor, tag: scalar.tag, location)
            let text = String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(text: text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
        case YAML_SEQUENCE_START_EVENT:
            refuseDecoration(anchor: raw.data.sequence_start.anchor, tag: raw.data.sequence_start.tag, location)
            return .sequenceStart
        case YAML_MAPPING_START_EVENT:
            refuseDecoration(anchor: raw.data.mapping_start.anchor, tag: raw.data.mapping_start.tag, location)
            return .mappingStart
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_ALIAS_EVENT:
            report(location, "aliases (`*name`) are not accepted; write the value out")
            return .alias
        default: return .other
        }
    }

    private mutating func refuseDecoration(
        anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?, _ location: SourceLocation
    ) {
        if anchor != nil { report(location, "anchors (`&name`) are not accepted; write the value where it is needed") }
        if tag != nil { report(location, "tags (`!name`) are not accepted; quote what must be text") }
    }

    private mutating func report(_ location: SourceLocation, _ message: String) {
        issues.append(ConfigurationIssue(location, "", message))
    }
}
