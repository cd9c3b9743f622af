import Foundation
import TaskModel
import Testing

/// Golden records: each is read, written again, and the same to the byte; and each keeps to its schema's members.
struct ScheduleRecordTests {
    struct Sample {
        var schema: String
        var body: RecordBody

        init(_ name: String) throws {
            let object = try Self.object("samples/\(name).json")
            schema = try #require(object["schema"] as? String)
            let headers = try #require(object["headers"] as? [[String]])
            var value: [UInt8]?
            if let member = object["value"], !(member is NSNull) {
                let data = try JSONSerialization.data(withJSONObject: member)
                value = CanonicalJSON.canonical([UInt8](data))
            }
            body = RecordBody(
                key: Array(try #require(object["key"] as? String).utf8), value: value,
                headers: RecordHeaders(headers.map { RecordHeader($0[0], $0[1]) }))
        }

        static func object(_ path: String) throws -> [String: Any] {
            let root = URL(fileURLWithPath: #filePath)
                .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let data = try Data(contentsOf: root.appendingPathComponent("schemas/\(path)"))
            return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }
    }

    private static let commands = [
        "command-put-v1", "command-remove-v1", "command-pause-v1", "command-pause-until-v1", "command-resume-v1",
        "command-trigger-v1",
        "command-result-applied-v1", "command-result-triggered-v1", "command-result-conflict-v1",
        "command-result-refused-v1",
    ]
    private static let schedules = [
        "schedule-definition-v1", "schedule-overlap-v1", "schedule-state-v1", "schedule-state-catching-up-v1",
        "schedule-at-v1", "schedule-composed-v1", "schedule-tombstone",
    ]
    private static let journal = ["journal-fired-v1", "journal-misfired-v1", "journal-coalesced-v1"]

    @Test(arguments: commands)
    func commandsAreWrittenAsTheyWereRead(name: String) throws {
        let body = try Sample(name).body
        let record = try CommandsTopicRecord(key: body.key, value: body.value, headers: body.headers)
        #expect(record.encoded() == body)
        #expect(CommandsTopicRecord.isResult(body.headers) == name.contains("result"))
    }

    @Test(arguments: schedules)
    func schedulesAreWrittenAsTheyWereRead(name: String) throws {
        let body = try Sample(name).body
        let record = try SchedulesTopicRecord(key: body.key, value: body.value)
        let writer = try #require(SchedulesTopicRecord.writer(in: body.headers))
        #expect(writer == ScheduleWriter(epoch: 12, name: "scheduler-1/5f3c"))
        #expect(record.encoded(by: writer) == body)
    }

    @Test(arguments: journal)
    func journalIsWrittenAsItWasRead(name: String) throws {
        let body = try Sample(name).body
        let entry = try JournalEntry(key: body.key, value: body.value)
        #expect(entry.encoded() == body)
    }

    @Test(arguments: commands + schedules + journal)
    func samplesKeepToTheirSchema(name: String) throws {
        let sample = try Sample(name)
        guard let value = sample.body.value else { return }
        let object = try #require(try JSONSerialization.jsonObject(with: Data(value)) as? [String: Any])
        try check(object, against: sample.schema)
    }

    private func check(_ object: [String: Any], against schema: String) throws {
        let document = try Sample.object(schema)
        let properties = try #require(document["properties"] as? [String: [String: Any]])
        let required = try #require(document["required"] as? [String])
        #expect(document["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        for name in required { #expect(object[name] != nil, "\(schema): \(name) is required") }
        for (name, member) in object {
            #expect(properties[name] != nil, "\(schema): \(name) is no member")
            if let words = properties[name]?["enum"] as? [String] { #expect(words.contains(member as? String ?? "")) }
            if properties[name]?["$ref"] as? String == "schedule-spec-v1.schema.json" {
                try check(try #require(member as? [String: Any]), against: "schedule-spec-v1.schema.json")
            }
        }
    }

    @Test func theSchemaKnowsEveryJournalKind() throws {
        let document = try Sample.object("journal-entry-v1.schema.json")
        let kind = (document["properties"] as? [String: [String: Any]])?["kind"]
        #expect(kind?["enum"] as? [String] == JournalEntry.Kind.allCases.map(\.rawValue))
    }

    @Test func refusesWhatItCannotRead() throws {
        let body = try Sample("command-put-v1").body
        #expect(throws: SchedulingDecodingError.self) {
            try CommandsTopicRecord(key: Array("other".utf8), value: body.value, headers: body.headers)
        }
        #expect(throws: SchedulingDecodingError.self) {
            try CommandsTopicRecord(key: body.key, value: body.value, headers: [])
        }
        let error = try caught(SchedulingDecodingError.self) {
            try CommandsTopicRecord(key: body.key, value: Array(#"{"version":1}"#.utf8), headers: body.headers)
        }
        #expect(error.description.contains("id"), "\(error)")
        #expect(throws: SchedulingDecodingError.self) {
            try SchedulesTopicRecord(key: Array("a/b/spec".utf8), value: nil)
        }
    }

    @Test func problemsNameTheMember() throws {
        var spec = ScheduleSpec(id: "a b", task: "", trigger: .at(.epoch), jitter: -1)
        spec.maxCount = 0
        let words = spec.problems.map { String($0.split(separator: " ")[0]) }
        #expect(words == ["id", "task", "max_count", "jitter"])
        #expect(ScheduleSpec(id: "a", task: "t", trigger: .at(.epoch)).problems.isEmpty)
        let command = ScheduleCommand(id: "", scheduleID: "b", kind: .put(spec), author: "me")
        #expect(command.problems.count == 6)
    }
}
