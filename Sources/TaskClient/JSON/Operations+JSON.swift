internal import TaskModel

extension TopicDifference: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("topic", topic)
        try fields.put("weight", "\(weight)")
        try fields.put("difference", summary)
        try fields.put("advice", advice)
    }
}
