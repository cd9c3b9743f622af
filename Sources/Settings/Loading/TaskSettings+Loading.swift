internal import TaskModel

extension TaskDefaults {
    init(reading reader: inout SectionReader) {
        self.init()
        timeout = reader.value("timeout", .timeout) ?? timeout
        retry = reader.section("retry") { RetryPolicy(reading: &$0, over: RetryPolicy()) }
    }
}

extension ScalarSyntax where Value == Int64 {
    fileprivate static var timeout: ScalarSyntax { .duration(1...Limits.year) }
}

extension RetryPolicy {
    /// What is written, over `base`.
    init(reading reader: inout SectionReader, over base: RetryPolicy) {
        self = base
        initial = reader.value("initial", .duration(0...Limits.year)) ?? initial
        factor = reader.value("factor", .number(1...1000)) ?? factor
        maximum = reader.value("max", .duration(0...Limits.year)) ?? maximum
        jitter = reader.value("jitter", .number(0...1)) ?? jitter
        maxAttempts = reader.value("max_attempts", .integer(1...1_000_000)).map { UInt32($0) } ?? maxAttempts
        maxAge = reader.value("max_age", .age) ?? maxAge
        for problem in problems { reader.report(problem) }
    }
}

extension ScalarSyntax where Value == Int64? {
    /// A duration, or `none` for no limit.
    fileprivate static var age: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            if text == "none" { return nil }
            let age = try DurationText.parseMilliseconds(text)
            guard age > 0 else { throw TextError("is not a positive duration, or `none` for no limit") }
            return age
        }
    }
}

extension TaskSettings {
    init(reading reader: inout SectionReader, defaults: TaskDefaults, queues: Set<String>) {
        let queue = reader.value("queue", .text) ?? TopicNames.defaultQueue
        Names.check(queue, among: queues, "queue", reader)
        let timeout = reader.value("timeout", .timeout) ?? defaults.timeout
        let retry = reader.section("retry") { RetryPolicy(reading: &$0, over: defaults.retry) }
        let exec = reader.optionalSection("exec") { ExecSettings(reading: &$0).map { Handler.exec($0) } }
        let http = reader.optionalSection("http") { HTTPSettings(reading: &$0).map { Handler.http($0) } }
        if reader.has("exec") && reader.has("http") {
            reader.report("http", "stands beside `exec`; a task has one handler")
        }
        self.init(queue: queue, timeout: timeout, retry: retry, handler: exec ?? http)
    }
}

extension ExecSettings {
    fileprivate init?(reading reader: inout SectionReader) {
        let command = reader.list("command", of: .word)
        let directory = reader.path("directory")
        let environment = reader.secrets("environment", name: Names.problemOfVariable)
        let inherit = reader.list("inherit", of: .text)
        let exitCodes = reader.section("exit_codes") { Self.exitCodes(reading: &$0) }
        let killAfter = reader.value("kill_after", .duration(0...Limits.hour)) ?? 10_000
        guard let command else {
            if !reader.has("command") {
                reader.report("`command` is missing; give the program and its arguments, such as [python3, report.py]")
            }
            return nil
        }
        guard command.first?.isEmpty == false else {
            reader.report("command", "names no program; give it and its arguments, such as [python3, report.py]")
            return nil
        }
        self.init(
            command: command, directory: directory, environment: environment, inherit: inherit, exitCodes: exitCodes,
            killAfter: killAfter)
    }

    private static func exitCodes(reading reader: inout SectionReader) -> [Int: ExitMeaning] {
        var meanings: [Int: ExitMeaning] = [:]
        for meaning in ExitMeaning.allCases {
            for code in reader.list(meaning.rawValue, of: .integer(1...255)) ?? [] {
                if let other = meanings[code], other != meaning {
                    reader.report(meaning.rawValue, "\(code) is also listed under `\(other.rawValue)`")
                }
                meanings[code] = meaning
            }
        }
        return meanings
    }
}

extension ScalarSyntax where Value == String {
    /// A word of a command: numbers are words too.
    fileprivate static var word: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard !text.utf8.contains(0) else { throw TextError("contains a NUL character") }
            return text
        }
    }
}

extension HTTPSettings {
    fileprivate init?(reading reader: inout SectionReader) {
        let url = reader.required("url", .text)
        let method = reader.value("method", .choice) ?? Method.post
        let headers = reader.secrets("headers", name: Names.problemOfHeader)
        let connections = reader.value("connections", .integer(1...10_000)) ?? 64
        guard let url else { return nil }
        // Not part of the syntax: the message must not show a password.
        if let problem = Self.problem(ofURL: url) {
            reader.report("url", problem)
            return nil
        }
        self.init(url: url, method: method, headers: headers, connections: connections)
    }

    private static func problem(ofURL url: String) -> String? {
        let lower = url.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://"),
            let start = url.firstIndex(of: ":").map({ url.index($0, offsetBy: 3) })
        else { return "is not an http or https URL" }
        let authority = url[start...].prefix { !"/?#".contains($0) }
        if authority.contains("@") { return "holds a user or password; send them in a header instead" }
        if authority.isEmpty || authority.hasPrefix(":") { return "names no host" }
        return url.contains(where: \.isWhitespace) ? "contains a space" : nil
    }
}
