/// Why a worker cannot go on.
package enum WorkerError: Error, Hashable, Sendable, CustomStringConvertible {
    case noQueues
    case duplicateTask(String)
    case missingTopic(String)
    case partitionCount(topic: String, expected: Int32, found: Int32)

    package var description: String {
        switch self {
        case .noQueues: "the worker has no queue to take from"
        case .duplicateTask(let name): "task \"\(name)\" is defined twice"
        case .missingTopic(let name): "topic \(name) does not exist; create it with: tidemill topics create"
        case .partitionCount(let topic, let expected, let found):
            "topic \(topic) has \(found) partitions, the configuration says \(expected). A partition count never changes in "
                + "place: set the count to \(found), or move to a new queue"
        }
    }
}
