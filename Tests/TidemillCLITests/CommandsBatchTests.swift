import Foundation
import TaskClient
import TaskModel
import TaskTestKit
import Testing

@testable import TidemillCLI

struct CommandsBatchTests {
    @Test func goodLinesArePublishedAndBadOnesAreNamed() async throws {
        let world = try await CommandsWorld()
        let lines = [
            #"{"task":"report","payload":{"b":2,"a":12345678901234567890.10},"key":"k","headers":{"x":"1"}}"#,
            #"{"task":"report","delay":"5m","queue":"mail","idempotency_key":"once"}"#,
            "",
            "not json",
            #"{"payload":1}"#,
            #"{"task":"report","delay":"10"}"#,
            #"{"task":"report","queue":"nope"}"#,
            #"{"task":"report","playload":1}"#,
            #"{"task":"report","key":7}"#,
        ]
        let text = lines.joined(separator: "\n")
        let (result, path) = try await withTemporaryFile(Array(text.utf8)) { path in
            (try await world.run("publish", "--batch", path), path)
        }
        #expect(result.status == 1)
        #expect(result.output == "published 2 events, 6 lines failed\n")
        let problems = Dictionary(
            uniqueKeysWithValues: result.errors.split(separator: "\n").map { line in
                let parts = line.dropFirst(path.count + 1).split(separator: ":", maxSplits: 1)
                return (Int(parts[0]) ?? 0, String(parts[1].dropFirst()))
            })
        #expect(problems.keys.sorted() == [4, 5, 6, 7, 8, 9])
        #expect(problems[4] == "is not a JSON object")
        #expect(problems[5] == "`task` is missing")
        #expect(problems[6]?.hasPrefix("`delay`: 10 needs a unit") == true)
        #expect(problems[7]?.contains("known queues: default, mail") == true)
        #expect(problems[8] == "unknown member `playload`; did you mean `payload`?")
        #expect(problems[9] == "`key` must be a string")
        let event = try #require(try await world.dueEvents().first)
        #expect(event.payload == Array(#"{"b":2,"a":12345678901234567890.10}"#.utf8))
        #expect(event.partitionKey == "k")
        #expect(event.extraHeaders == [RecordHeader("x", "1")])
        #expect(try await world.records(world.plan.names.retry).count == 1)
    }

    @Test func aNameThatIsNotUTF8IsAnErrorOfItsLine() async throws {
        let world = try await CommandsWorld()
        let bytes = [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0x0a] + Array(#"{"task":"report"}"#.utf8)
        let result = try await withTemporaryFile(bytes) { path in try await world.run("publish", "--batch", path) }
        #expect(result.output == "published 1 events, 1 lines failed\n")
        #expect(result.errors.contains(":1: is not a JSON object"))
    }

    @Test func theTaskMayComeFromTheCommandLineAndTheLinesFromStdin() async throws {
        var world = try await CommandsWorld()
        world.input = (1...1100).map { "{\"payload\":\($0),\"id\":\"\($0)\"}\r\n" }.joined()
        let result = try await world.run("publish", "report", "--batch", "-", "--queue", "mail")
        #expect(result.status == 0)
        #expect(result.output == "published 1100 events, 0 lines failed\n")
        let events = try await world.dueEvents("mail")
        #expect(Set(events.map(\.id)).count == 1100)
        #expect(Set(events.map(\.task)) == ["report"])
    }

    @Test func withJSONEachReceiptIsALine() async throws {
        var world = try await CommandsWorld()
        world.input = "{\"task\":\"a\"}\n{\"task\":\"b\"}"
        let result = try await world.run("publish", "--batch", "-", "--output", "json")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.contains("\"fingerprint\"") })
        #expect(result.errors.contains("published 2 events"))
    }

    @Test func aTerminalSeesABar() async throws {
        var world = try await CommandsWorld()
        world.errorTerminal = Terminal(isInteractive: true, width: 80, usesColor: false)
        let lines = String(repeating: "{\"task\":\"a\"}\n", count: 3)
        let terminal = world
        let result = try await withTemporaryFile(Array(lines.utf8)) {
            try await terminal.run("publish", "--batch", $0)
        }
        #expect(result.errors.contains("3/3 (100 %)"))
        #expect(result.output == "published 3 events, 0 lines failed\n")
    }

    @Test func aLineThatIsTooLongIsPassedOver() throws {
        var reader = LineReader(BytesSource(Array("abc\r\n0123456789\n\nend".utf8), piece: 3), limit: 5)
        var lines: [LineReader.Line] = []
        while let line = try reader.next() { lines.append(line) }
        #expect(
            lines == [.text(Array("abc".utf8)), .tooLong, .text([]), .text(Array("end".utf8))])
    }

    @Test(arguments: [
        (#"{"payload":{"a":"}\"]"},"x":1}"#, #"{"a":"}\"]"}"#),
        (#" { "a" : [1,2] , "payload" : "t,\\" }"#, #""t,\\""#),
        (#"{"payload":12.50}"#, "12.50"), (#"{"payload" : null ,"b":1}"#, "null"),
        (#"{"pay\u006coad":[{"payload":1}]}"#, #"[{"payload":1}]"#),
    ])
    func aMembersBytesAreTakenAsTheyAre(object: String, value: String) {
        #expect(JSONMembers.value(of: "payload", in: Array(object.utf8)) == Array(value.utf8))
    }

    @Test func aMemberThatIsNotThereHasNoBytes() {
        #expect(JSONMembers.value(of: "payload", in: Array(#"{"a":{"payload":1}}"#.utf8)) == nil)
    }
}
