/// The names of Tidemill's topics and groups under one prefix.
public struct TopicNames: Hashable, Sendable {
    /// Put before every name. Default `tidemill.`.
    public var prefix: String

    public init(prefix: String = "tidemill.") { self.prefix = prefix }

    public func due(_ queue: String) -> String { prefix + "due." + queue }
    public func ledger(_ queue: String) -> String { prefix + "ledger." + queue }
    public var retry: String { prefix + "retry" }
    public var dead: String { prefix + "dead" }
    public var commands: String { prefix + "commands" }
    public var schedules: String { prefix + "schedules" }
    public var control: String { prefix + "control" }
    public var workers: String { prefix + "workers" }
    public var journal: String { prefix + "journal" }

    public var workerGroup: String { prefix + "workers" }
    public var schedulerGroup: String { prefix + "schedulers" }

    /// The queue of a due topic's name, or nil for another topic.
    public func queue(ofDueTopic topic: String) -> String? {
        let start = prefix + "due."
        return topic.hasPrefix(start) ? String(topic.dropFirst(start.count)) : nil
    }

    public static let defaultQueue = "default"

    /// Letters, digits, `.`, `_` and `-`, at most 100: what Kafka allows in a topic name, with room for ours.
    public static func isValidQueueName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
