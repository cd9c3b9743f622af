import TaskModel
import Testing

@testable import TidemillCLI

private typealias Fixture = CommandLineFixture

struct CommandLineParserTests {
    // MARK: What is accepted

    @Test func optionsTakeTheNextWordOrAnEqualsSign() throws {
        let spaced = try Fixture.arguments("enqueue", "--delay", "1h30m", "report")
        let equal = try Fixture.arguments("enqueue", "--delay=1h30m", "report")
        #expect(try spaced.duration("delay") == .seconds(5400))
        #expect(try equal.duration("delay") == .seconds(5400))
        #expect(spaced.path == ["enqueue"])
        #expect(spaced.argument("task") == "report")
        #expect(spaced.argument("payload") == nil)
    }

    @Test func shortOptionsCombineAndAttachTheirValue() throws {
        let arguments = try Fixture.arguments("enqueue", "-wqn7", "report", "-H", "a=b=c", "-H=x=", "{}")
        #expect(arguments.flag("wait"))
        #expect(arguments.flag("quiet"))
        #expect(try arguments.integer("attempts") == 7)
        #expect(try arguments.pairs("header").map { [$0.name, $0.value] } == [["a", "b=c"], ["x", ""]])
        #expect(arguments.argument("payload") == "{}")
    }

    @Test func anOptionalValueNeverTakesTheNextWord() throws {
        #expect(try Fixture.arguments("enqueue", "report").optionalDuration("unique") == .absent)
        let bare = try Fixture.arguments("enqueue", "--unique", "report")
        #expect(try bare.optionalDuration("unique") == .bare)
        #expect(bare.argument("task") == "report")
        #expect(
            try Fixture.arguments("enqueue", "--unique=2h", "x").optionalDuration("unique") == .value(.seconds(7200)))
    }

    @Test func twoDashesEndTheOptions() throws {
        let arguments = try Fixture.arguments("run", "ls", "--", "-l", "--help", "--")
        #expect(arguments.rest("words") == ["ls", "-l", "--help", "--"])
    }

    @Test func aDashAndNegativeNumbersAreWords() throws {
        #expect(try Fixture.arguments("run", "-", "-5").rest("words") == ["-", "-5"])
        let now = Timestamp(seconds: 7200)
        #expect(try Fixture.arguments("enqueue", "x", "--at", "-1h").time("at", now: now) == Timestamp(seconds: 3600))
    }

    @Test func inheritedOptionsStandAnywhere() throws {
        #expect(try Fixture.arguments("-c", "a.yaml", "run").text("config") == "a.yaml")
        #expect(try Fixture.arguments("schedule", "-c", "a.yaml", "list").text("config") == "a.yaml")
        #expect(try Fixture.arguments("schedule", "list", "--config=a.yaml").text("config") == "a.yaml")
    }

    @Test func getters() throws {
        let arguments = try Fixture.arguments("enqueue", "x", "--max-size", "64KiB", "--output", "json")
        #expect(try arguments.size("max-size") == 65536)
        #expect(try OutputFormat(arguments) == .json)
        #expect(try OutputFormat(Fixture.arguments("enqueue", "x")) == .table)
        #expect(try arguments.requiredArgument("task") == "x")
    }

    // MARK: Pages

    @Test func helpAtEveryLevel() throws {
        #expect(try Fixture.helpPath() == [])
        #expect(try Fixture.helpPath("--help") == [])
        #expect(try Fixture.helpPath("schedule", "-h") == ["schedule"])
        #expect(try Fixture.helpPath("schedule", "add", "--help") == ["schedule", "add"])
        #expect(try Fixture.helpPath("help", "schedule", "add") == ["schedule", "add"])
        #expect(try Fixture.helpPath("enqueue", "--nonsense", "--help") == ["enqueue"])
    }

    @Test func versionBelongsToTheProgram() throws {
        guard case .version = try Fixture.parser.parse(["--version"]) else { throw UsageError(message: "", hint: "") }
        #expect(Fixture.error("run", "--version")?.message == "unknown option --version for `mill run`")
    }

    // MARK: What is refused

    @Test func unknownWordsComeWithASuggestion() {
        #expect(
            Fixture.error("enqueu")
                == UsageError(
                    message: "unknown command `enqueu`",
                    hint: "Did you mean `mill enqueue`? Run `mill --help` to see the commands."))
        #expect(Fixture.error("schedule", "lst")?.hint.contains("Did you mean `mill schedule list`?") == true)
        #expect(Fixture.error("enqueue", "--dealy", "1s")?.hint.hasPrefix("Did you mean --delay?") == true)
        #expect(Fixture.error("help", "shedule")?.hint.contains("Did you mean `mill schedule`?") == true)
        #expect(Fixture.error("xyzzy")?.hint == "Run `mill --help` to see the commands.")
        #expect(Fixture.error("enqueue", "-x")?.message == "unknown option -x for `mill enqueue`")
    }

    @Test func valuesAreCheckedWhileParsing() {
        #expect(
            Fixture.error("enqueue", "x", "--delay", "10")?.message
                == "--delay: `10` needs a unit: did you mean 10s? Give a duration such as 500ms, 10s, 5m, 1h30m or 2d")
        #expect(
            Fixture.error("enqueue", "x", "-n", "0")?.message == "-n: `0` is not a whole number from 1 to 100")
        #expect(
            Fixture.error("enqueue", "x", "--output", "jsn")?.message
                == "--output: `jsn` is not one of table, json; did you mean json?")
        #expect(Fixture.error("enqueue", "x", "-H", "novalue")?.message == "-H: `novalue` is not NAME=VALUE")
        #expect(
            Fixture.error("completion", "csh")?.message
                == "shell: `csh` is not one of bash, zsh, fish; did you mean zsh?")
    }

    @Test func whatIsMissingOrTooMuch() {
        #expect(Fixture.error("schedule")?.message == "`mill schedule` needs a command: add, list")
        #expect(Fixture.error("enqueue")?.message == "task is missing: The task")
        #expect(Fixture.error("schedule", "add", "x")?.message == "--cron is missing")
        #expect(Fixture.error("enqueue", "x", "--delay")?.message == "--delay needs a value")
        #expect(Fixture.error("enqueue", "x", "--delay", "--wait")?.message == "--delay needs a value")
        #expect(Fixture.error("enqueue", "x", "--wait=yes")?.message == "--wait takes no value")
        #expect(Fixture.error("enqueue", "x", "--delay=1s", "--delay=2s")?.message == "--delay is given more than once")
        #expect(Fixture.error("enqueue", "a", "b", "c")?.message == "`mill enqueue` takes no argument `c`")
    }

    @Test func anErrorNamesTheProgramAndTheWayOut() {
        let error = Fixture.error("schedule", "add", "x")
        #expect(
            error?.description
                == "tidemill: --cron is missing\nAdd `--cron TEXT`: When, as a cron expression.")
        #expect(UsageError.exitCode == 2)
    }
}
