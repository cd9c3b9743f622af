import Foundation
import Testing

@testable import TaskTelemetry

struct LogLineTests {
    private let time: Int64 = 1_798_794_000_250

    private func entry(_ message: String, _ fields: KeyValuePairs<String, String> = [:]) -> LogEntry {
        LogEntry(level: .warning, message: message, fields: fields.map { (name: $0.key, value: $0.value) })
    }

    @Test func textForPeople() {
        let line = LogLine.text(
            entry("partition taken", ["topic": "due.default", "why": "a \"late\" join", "empty": "", "n": "3"]),
            milliseconds: time, usesColor: false)
        #expect(
            line == "2027-01-01T09:00:00.250Z WARN  partition taken topic=due.default "
                + "why=\"a \\\"late\\\" join\" empty=\"\" n=3\n")
    }

    @Test func colourMarksTheLevel() {
        let line = LogLine.text(entry("x"), milliseconds: time, usesColor: true)
        #expect(line == "2027-01-01T09:00:00.250Z \u{1B}[33mWARN \u{1B}[0m x\n")
    }

    @Test func jsonForPrograms() throws {
        let line = LogLine.json(entry("say \"hi\"", ["path": "a\\b", "task": "é"]), milliseconds: time)
        #expect(
            line == #"{"ts":"2027-01-01T09:00:00.250Z","level":"warning","message":"say \"hi\"","#
                + #""fields":{"path":"a\\b","task":"é"}}"# + "\n")
        #expect(
            LogLine.json(entry("x"), milliseconds: time)
                == #"{"ts":"2027-01-01T09:00:00.250Z","level":"warning","message":"x"}"# + "\n")
    }

    @Test func aNameThatComesTwiceKeepsItsLastValue() {
        let line = LogLine.json(entry("x", ["a": "1", "b": "2", "a": "3"]), milliseconds: time)
        #expect(line.hasSuffix(#""fields":{"b":"2","a":"3"}}"# + "\n"))
    }

    @Test(arguments: ["a\nb", "a\rb", "\u{1B}[2Jx", "\u{85}", "\u{2028}", "\u{202E}gpj", "\0"])
    func nothingBreaksOutOfItsLine(hostile: String) throws {
        let both = [
            LogLine.text(entry(hostile, ["k": hostile]), milliseconds: time, usesColor: false),
            LogLine.json(entry(hostile, ["k": hostile]), milliseconds: time),
        ]
        for line in both {
            let unsafe = line.dropLast().unicodeScalars.filter {
                $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || $0 == "\u{2028}" || $0 == "\u{202E}"
            }
            #expect(unsafe.isEmpty)
        }
        let object = try #require(try JSONSerialization.jsonObject(with: Data(both[1].utf8)) as? [String: Any])
        #expect(object["message"] as? String == hostile)
        #expect((object["fields"] as? [String: String]) == ["k": hostile])
    }

    @Test func longValuesAreCut() {
        let line = LogLine.json(entry(String(repeating: "x", count: 100_000)), milliseconds: time)
        #expect(line.utf8.count < LogLine.longestValue + 200)
        #expect(line.contains("xxx…\""))
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_825_600_000, "2000-02-29T12:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ])
    func instants(milliseconds: Int64, text: String) {
        #expect(UTCText.format(milliseconds: milliseconds) == text)
    }
}

struct LogSinkTests {
    /// What a sink on a pipe wrote.
    private func written(_ body: @Sendable (_ descriptor: Int32) async -> Void) async -> String {
        let pipe = Pipe()
        await body(pipe.fileHandleForWriting.fileDescriptor)
        try? pipe.fileHandleForWriting.close()
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    @Test func sinksWriteWholeLines() async {
        let text = await written { descriptor in
            Logger(sink: TextLogSink(descriptor: descriptor, usesColor: false, clock: { 0 })).info("one", ["k": "v"])
            Logger(sink: JSONLogSink(descriptor: descriptor, clock: { 0 })).error("two")
        }
        #expect(
            text == """
                1970-01-01T00:00:00.000Z INFO  one k=v
                {"ts":"1970-01-01T00:00:00.000Z","level":"error","message":"two"}

                """)
    }

    @Test func manyThreadsDoNotMixTheirLines() async {
        let text = await written { descriptor in
            let logger = Logger(sink: JSONLogSink(descriptor: descriptor, clock: { 0 }))
            await withDiscardingTaskGroup { group in
                for writer in 0..<8 {
                    group.addTask { for line in 0..<25 { logger.info("writer \(writer) line \(line)") } }
                }
            }
        }
        let lines = text.split(separator: "\n")
        #expect(Set(lines).count == 200)
        #expect(lines.allSatisfy { $0.hasPrefix("{\"ts\"") && $0.hasSuffix("\"}") })
    }

    @Test func aClosedDescriptorStopsNobody() {
        let sink = JSONLogSink(descriptor: -1)
        sink.write(LogEntry(level: .info, message: "lost", fields: []))
    }

    @Test func formatsHaveNames() {
        #expect(LogFormat.allCases.map(\.rawValue) == ["auto", "text", "json"])
        #expect(StandardLogSink.make(.json) is JSONLogSink)
        #expect(StandardLogSink.make(.text) is TextLogSink)
    }
}
