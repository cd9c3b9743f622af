import Foundation
import Testing

@testable import Settings

struct SchemaTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("schemas")
    private static let environment = ["KAFKA_PASSWORD": "p", "REPORT_TOKEN": "t", "SYNC_TOKEN": "s"]

    static let examples: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("examples").path)
        return (names ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
    }()

    private func schema() throws -> SchemaValidator {
        try SchemaValidator(contentsOf: Self.folder.appendingPathComponent("config-v1.schema.json"))
    }

    /// The value of a YAML text as `JSONSerialization` has it.
    private func value(of text: String) throws -> Any {
        var issues: [ConfigurationIssue] = []
        let node = try #require(YamlReader.read(Array(text.utf8), file: "t", issues: &issues))
        let json = try #require(node.canonicalJSON(path: "", issues: &issues))
        #expect(issues.isEmpty)
        return try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed)
    }

    private func loads(_ text: String) -> Bool {
        (try? Configuration.load(text: Array(text.utf8), file: "t", directory: ".", environment: [:])) != nil
    }

    @Test func loaderAndSchemaHaveTheSameKeys() throws {
        let written = try schema().keys
        #expect(Configuration.keys.subtracting(written) == [], "keys that only the loader knows")
        #expect(written.subtracting(Configuration.keys) == [], "keys that only the schema knows")
        #expect(written.contains("tasks.*.exec.exit_codes.retry"))
        #expect(written.contains("log.kafka.properties.*"))
    }

    @Test func thereAreExamples() {
        #expect(Self.examples.count >= 3)
    }

    @Test(arguments: examples)
    func examplesAreValidAndLoad(name: String) throws {
        let file = Self.folder.appendingPathComponent("examples/\(name)")
        #expect(try schema().problems(of: value(of: String(contentsOf: file, encoding: .utf8))) == [])
        _ = try Configuration.load(path: file.path, environment: Self.environment)
    }

    /// The README's own configurations, so that what it teaches loads.
    @Test func theReadmeIsValidAndLoads() throws {
        let readme = try String(
            contentsOf: Self.folder.deletingLastPathComponent().appendingPathComponent("README.md"), encoding: .utf8)
        let blocks = readme.components(separatedBy: "```yaml\n").dropFirst().compactMap {
            $0.components(separatedBy: "```\n").first
        }
        #expect(blocks.count >= 2)
        for block in blocks {
            #expect(try schema().problems(of: value(of: block)) == [])
            _ = try Configuration.load(
                text: Array(block.utf8), file: "README.md", directory: ".", environment: Self.environment)
        }
    }

    @Test func anExampleHasEveryKey() throws {
        let file = Self.folder.appendingPathComponent("examples/full.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        let names = Configuration.keys.subtracting(["log.kafka"]).filter { !$0.hasPrefix("log.kafka.") }
            .compactMap { $0.split(separator: ".").last.map(String.init) }
        for name in Set(names) where name != "*" {
            #expect(text.contains("\(name):"), "full.yaml does not show \(name)")
        }
    }

    @Test(arguments: [
        "worker: { concurrency: lots }", "worker: { concurrency: 0 }", "worker: { concurency: 4 }", "worker: 4",
        "worker: { grace: 10 }", "worker: { grace: 1m1h }", "worker: { queues: [] }", "worker: { id: 'a b' }",
        "log: { embedded: {}, kafka: { bootstrap_servers: 'a:1' } }", "log: { kafka: {} }",
        "log: { topics: { max_event: 1XB } }", "observability: { log_level: loud }",
        "observability: { metrics: {} }", "observability: { metrics: { listen: here } }",
        "observability: { metrics: { listen: '127.0.0.1:1', allow_remote: yes } }",
        "defaults: { retry: { jitter: 2 } }", "defaults: { retry: { factor: 0.5 } }", "tasks: { a: { exec: {} } }",
        "tasks: { a: { exec: { command: [] } } }", "tasks: { a: { exec: { command: ls } } }",
        "tasks: { a: { exec: { command: [ls], environment: { A: [1] } } } }",
        "tasks: { a: { exec: { command: [ls], exit_codes: { retry: [256] } } } }",
        "tasks: { a: { http: { url: 'ftp://x' } } }", "tasks: { a: { http: { url: 'http://x', method: GET } } }",
        "tasks: { a: { exec: { command: [ls] }, http: { url: 'http://x' } } }", "queues: { 'a b': {} }",
        "schedules: { a: { cron: '* * * * *' } }", "schedules: { a: { task: x } }",
        "schedules: { a: { task: x, cron: '* * * * *', interval: 1s } }",
        "schedules: { a: { task: x, interval: 1s, overlap: queue } }", "unknown: 1",
        "schedules: { a: { task: x, interval: 1s, overlap: allow, max_instances: 0 } }",
        "schedules: { a: { task: x, interval: 1s, pause_on_failure: maybe } }",
    ])
    func whatTheSchemaRefusesDoesNotLoad(text: String) throws {
        #expect(try schema().problems(of: value(of: text)) != [])
        #expect(!loads(text))
    }

    @Test(arguments: [
        "{}", "log: { kafka: { bootstrap_servers: 'a:1,b:2', properties: { linger.ms: 5, x.y: true } } }",
        "worker: { concurrency: '4', grace: 0, lease: 1m30s }", "defaults: { retry: { max_age: none, factor: 1.5 } }",
        "tasks: { a: {} }", "schedules: { a: { task: x, at: '2027-01-01T09:00:00Z', payload: [1, { a: null }] } }",
        "observability: { metrics: { listen: '0.0.0.0:9464', allow_remote: true } }",
        "schedules: { a: { task: x, interval: 1s, overlap: terminate-other, pause_on_failure: true } }",
        "worker: { concurrency: '${N:-8}', grace: '${G:-10s}' }", "observability: { log_level: '${L:-debug}' }",
    ])
    func whatTheSchemaAcceptsLoads(text: String) throws {
        #expect(try schema().problems(of: value(of: text)) == [])
        #expect(loads(text))
    }
}
