import Foundation

/// The command line: one command and `--name value` pairs.
struct SliceArguments: Sendable {
    enum Command: String, Sendable {
        case run, faults, chaos, malformed, worker, scheduler
    }

    struct Problem: Error {
        var text: String
    }

    var command: Command
    private var values: [String: String] = [:]

    private static let names: Set = [
        "engine", "bootstrap", "folder", "events", "seed", "workers", "only", "place", "id", "minutes", "rate",
        "brokers",
        "kafka-port",
    ]

    init(_ words: [String]) throws {
        guard let first = words.first, let command = Command(rawValue: first) else {
            throw Problem(text: "give one of run, faults, chaos and malformed")
        }
        self.command = command
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            let name = String(word.dropFirst(2))
            guard word.hasPrefix("--"), Self.names.contains(name) else { throw Problem(text: "what is \(word)?") }
            guard let value = rest.popFirst() else { throw Problem(text: "\(word) needs a value") }
            values[name] = value
        }
    }

    func text(_ name: String) throws -> String {
        guard let value = values[name] else { throw Problem(text: "--\(name) is missing") }
        return value
    }

    func number(_ name: String, standard: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let text = values[name] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(text: "--\(name) is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A random seed unless one is given.
    func seed() throws -> UInt64 {
        guard let text = values["seed"] else { return UInt64.random(in: 1...999_999) }
        guard let seed = UInt64(text) else { throw Problem(text: "--seed is a number") }
        return seed
    }

    var only: Set<String>? { values["only"].map { Set($0.split(separator: ",").map(String.init)) } }

    func engine() throws -> RunPlace.Engine {
        switch try text("engine") {
        case "sqlite": .sqlite
        case "kafka": .kafka(bootstrap: try text("bootstrap"))
        default: throw Problem(text: "--engine is sqlite or kafka")
        }
    }

    /// The place that a parent process gave to this one.
    func place() throws -> RunPlace {
        try JSONDecoder().decode(RunPlace.self, from: Data(try text("place").utf8))
    }
}
