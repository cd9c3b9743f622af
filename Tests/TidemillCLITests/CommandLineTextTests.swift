import Settings
import TaskModel
import Testing

@testable import TidemillCLI

struct CommandLineTimeTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T12:00:00Z", 951_825_600_000),
        ("2027-01-01T10:00:00.250+01:00", 1_798_794_000_250),
        ("2027-01-01t09:00:00.2509z", 1_798_794_000_250),
        ("1969-12-31T23:59:59.5Z", -500),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
    ])
    func instants(text: String, milliseconds: Int64) throws {
        #expect(try TimeText.parse(text) == .absolute(Timestamp(milliseconds: milliseconds)))
    }

    @Test func relative() throws {
        let now = Timestamp(seconds: 10_000)
        #expect(try TimeText.parse("now").resolved(now: now) == now)
        #expect(try TimeText.parse("-1h").resolved(now: now) == Timestamp(seconds: 6400))
        #expect(try TimeText.parse("+15m").resolved(now: now) == Timestamp(seconds: 10_900))
    }

    @Test(arguments: [
        ("2027-01-01T09:00:00", "has no time zone"), ("2027-01-01", "is a date without"), ("tomorrow", "is not a time"),
        ("2027-02-29T09:00:00Z", "is not a time"), ("2027-01-01T24:00:00Z", "is not a time"),
        ("2027-01-01T09:00:00Zz", "is not a time"), ("2027-01-01T09:00:00.Z", "is not a time"), ("-", "is empty"),
        ("", "is not a time"), ("2027-01-01T09:00:00+0100", "is not a time"),
    ])
    func refused(text: String, reason: String) {
        do throws(TextError) {
            _ = try TimeText.parse(text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.description.contains(reason))
        }
    }
}

struct CommandLineTableTests {
    private var table: TableFormatter {
        var table = TableFormatter(columns: [.init("ID"), .init("COUNT", .right), .init("TEXT", isFlexible: true)])
        table.add(["a", "7", "short"])
        table.add(["longer", "1200", "a text that goes on and on"])
        return table
    }

    @Test func columnsAreAligned() {
        #expect(
            table.render(for: .plain) == """
                ID      COUNT  TEXT
                a           7  short
                longer   1200  a text that goes on and on

                """)
    }

    @Test func onlyATerminalCutsText() {
        let narrow = Terminal(isInteractive: true, width: 25, usesColor: false)
        #expect(
            table.render(for: narrow)
                == """
                ID      COUNT  TEXT
                a           7  short
                longer   1200  a text th…

                """)
    }

    @Test func dataCannotDriveTheTerminal() {
        var table = TableFormatter(columns: [.init("X")])
        table.add(["a\u{1B}[31mb\nc\u{202E}d"])
        #expect(table.render(for: .plain) == "X\na\\u{1b}[31mb\\nc\\u{202e}d\n")
    }

    @Test func emptyCellsAndWideCharacters() {
        var table = TableFormatter(columns: [.init("A"), .init("N", .right), .init("B")])
        table.add(["日本", "", "x"])
        table.add(["abcde", "1", ""])
        #expect(table.render(for: .plain) == "A      N  B\n日本      x\nabcde  1\n")
        #expect(TableFormatter(columns: [.init("A")]).render(for: .plain) == "")
    }

    @Test func stylesDoNotCountAsWidth() {
        var table = TableFormatter(columns: [.init("S"), .init("T")])
        table.add([.init("bad", .bad), "x"])
        let terminal = Terminal(isInteractive: true, width: 80, usesColor: true)
        #expect(table.render(for: terminal).hasSuffix("\u{1B}[31mbad\u{1B}[0m  x\n"))
        #expect(table.render(for: .plain).hasSuffix("bad  x\n"))
    }
}

struct CommandLineProgressTests {
    @Test func aPipeGetsALineNowAndThen() {
        var progress = ProgressBar(label: "replayed", total: 200, terminal: .plain, uptime: 0)
        let lines = [
            progress.update(done: 10, uptime: 4999), progress.update(done: 100, uptime: 5000),
            progress.update(done: 150, uptime: 9000),
        ]
        #expect(lines == [nil, "replayed 100/200 (50 %), 20/s\n", nil])
        #expect(progress.finish(done: 200, uptime: 10_000) == "replayed 200/200 (100 %), 20/s\n")
    }

    @Test func aTerminalIsRedrawnAtABoundedRate() throws {
        let terminal = Terminal(isInteractive: true, width: 60, usesColor: false)
        var progress = ProgressBar(label: "x", total: 4, terminal: terminal, uptime: 0)
        let drawn = progress.update(done: 1, uptime: 0)
        let first = try #require(drawn)
        #expect(first.hasPrefix("\r██████████░"))
        #expect(first.hasSuffix("░ x 1/4 (25 %)\u{1B}[K"))
        let tooSoon = progress.update(done: 2, uptime: 99)
        #expect(tooSoon == nil)
        let next = progress.update(done: 3, uptime: 100)
        #expect(next != nil)
    }

    @Test func anUnknownTotalShowsTheCount() {
        let progress = ProgressBar(label: "scanned", total: nil, terminal: .plain, uptime: 0)
        #expect(progress.finish(done: 5, uptime: 0) == "scanned 5\n")
    }
}

struct CommandLineTerminalTests {
    @Test func aPipeIsPlain() {
        // Under a test runner the streams are pipes or a terminal; a plain value never colours.
        #expect(Terminal.plain.styled("x", .bad) == "x")
        #expect(Terminal(isInteractive: true, width: 80, usesColor: true).styled("x", .bad) == "\u{1B}[31mx\u{1B}[0m")
    }

    @Test func jsonIsStable() throws {
        struct Row: Encodable {
            var name = "a/b"
            var count = 1
        }
        #expect(try OutputFormat.jsonLine(Row()) == "{\"count\":1,\"name\":\"a/b\"}\n")
        #expect(try OutputFormat.json(Row()) == "{\n  \"count\" : 1,\n  \"name\" : \"a/b\"\n}\n")
    }
}
