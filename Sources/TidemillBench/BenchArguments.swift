import TidemillHarness

/// The command line: workloads and options.
struct BenchArguments: Sendable {
    struct Problem: Error {
        var text: String
    }

    /// Names in the order in which they run.
    var workloads: [String] = []
    var engines: [EngineChoice] = []
    var isQuick = false
    /// Where temporary files go.
    var folder = "."
    /// Where the JSON file and the table go.
    var output = "."
    var payloadBytes = 100
    var workers = 1
    var concurrency = 1000
    var partitions = 12
    /// Instead of a workload's own number.
    var events: Int?
    var brokerProcesses: [Int32] = []
    /// Rows of cron expressions, and what other implementations take for them, as files of JSON.
    var cronRows: String?
    var cronPeers: String?
    /// Versions that the caller knows and this program cannot: of the brokers, of Swift.
    var versions: [String: String] = [:]

    static let usage = """
        usage: scripts/bench WORKLOAD…|all [--engine sqlite|kafka|all] [options]

        Workloads:
        \(Workload.all.map { "  " + pad($0.name) + $0.summary }.joined(separator: "\n"))

        Options:
          --engine ENGINE      sqlite, kafka (brokers of its own from KAFKA_HOME, or --bootstrap), or all (the default:
                               sqlite, and kafka where KAFKA_HOME or --bootstrap says which)
          --quick              small numbers: all workloads on both engines within 10 minutes on two cores
          --bootstrap LIST     running brokers instead of own ones; their CPU time is then not seen
          --events N           instead of each workload's own number
          --payload BYTES      16 to 262144, default 100
          --workers N          worker processes, 1 to 16, default 1
          --concurrency N      handlers at once in each, 1 to 10000, default 1000
          --partitions N       of the queue, 1 to 200, default 12
          --output FOLDER      for the JSON file and the table, default .tidemill/bench

        Ctrl-C stops everything that was started. The exit status is 0 when no workload failed.
        """

    /// Nil when help is wanted.
    init?(_ words: [String]) throws {
        if words.contains("--help") || words.contains("-h") || words.isEmpty { return nil }
        var rest = words[...]
        var engine = "all"
        var bootstrap: String?
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                workloads.append(word)
                continue
            }
            if word == "--quick" {
                isQuick = true
                continue
            }
            guard let value = rest.popFirst() else { throw Problem(text: "\(word) needs a value") }
            switch word {
            case "--engine": engine = value
            case "--bootstrap": bootstrap = value
            case "--folder": folder = value
            case "--output": output = value
            case "--events": events = try Self.number(word, value, 1...100_000_000)
            case "--payload": payloadBytes = try Self.number(word, value, 16...262_144)
            case "--workers": workers = try Self.number(word, value, 1...16)
            case "--concurrency": concurrency = try Self.number(word, value, 1...10_000)
            case "--partitions": partitions = try Self.number(word, value, 1...200)
            case "--broker-pids": brokerProcesses = try Self.processes(word, value)
            case "--cron-rows": cronRows = value
            case "--cron-peers": cronPeers = value
            case "--broker-version": versions["Kafka"] = value
            case "--swift-version": versions["Swift"] = value
            default: throw Problem(text: "what is \(word)?")
            }
        }
        engines = try Self.engines(engine, bootstrap)
        workloads = try Self.workloads(workloads)
    }

    private static func engines(_ name: String, _ bootstrap: String?) throws -> [EngineChoice] {
        switch (name, bootstrap) {
        case ("sqlite", _), ("all", nil): return [.sqlite]
        case ("kafka", let bootstrap?): return [.kafka(bootstrap: bootstrap)]
        case ("all", let bootstrap?): return [.sqlite, .kafka(bootstrap: bootstrap)]
        case ("kafka", nil): throw Problem(text: "--engine kafka needs --bootstrap, or scripts/bench with KAFKA_HOME")
        default: throw Problem(text: "--engine is sqlite, kafka or all")
        }
    }

    private static func workloads(_ names: [String]) throws -> [String] {
        let all = Workload.all.map(\.name)
        if let stranger = names.first(where: { $0 != "all" && !all.contains($0) }) {
            throw Problem(
                text: "there is no workload \"\(stranger)\"; there are \(all.joined(separator: ", ")) and all")
        }
        guard !names.isEmpty else { throw Problem(text: "name a workload, or all") }
        return names.contains("all") ? all : all.filter(names.contains)
    }

    private static func processes(_ word: String, _ text: String) throws -> [Int32] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let number = Int32(part), number > 0 else { throw Problem(text: "\(word) are numbers of processes") }
            return number
        }
    }

    private static func number(_ word: String, _ text: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw Problem(text: "\(word) is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func pad(_ text: String) -> String {
        text + String(repeating: " ", count: max(1, 21 - text.count))
    }
}
