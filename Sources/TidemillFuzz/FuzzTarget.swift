import TaskModel

/// A reader that must survive whatever bytes it is given.
struct FuzzTarget: Sendable {
    /// What became of an input.
    enum Verdict: Sendable {
        case read
        /// With the error that the reader promises.
        case refused
    }

    var name: String
    /// Bytes that the reader takes: what mutations begin from.
    var seeds: @Sendable () throws -> [[UInt8]]
    /// The bytes are a record in a frame, so that whole headers can be mutated.
    var isRecord = false
    /// Reads the input; what it took must also obey the reader's laws.
    var run: @Sendable ([UInt8]) throws(FuzzFinding) -> Verdict

    static let all: [FuzzTarget] = [
        .event, .waiting, .dead, .ledger, .commit, .commands, .schedules, .journal, .headers, .trigger, .cron, .json,
        .configuration,
    ]
}

/// What a reader must not do. A crash or a hang tells of itself.
struct FuzzFinding: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }

    /// The law of the reader that `description` names.
    static func require(_ holds: Bool, _ description: String) throws(FuzzFinding) {
        if !holds { throw FuzzFinding(description) }
    }
}

/// Where the records of an input claim to lie.
let fuzzPlace = RecordPlace(topic: "fuzz", partition: 0, offset: 0)
