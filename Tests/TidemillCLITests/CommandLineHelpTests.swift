import Testing

@testable import TidemillCLI

struct CommandLineHelpTests {
    private func page(_ path: String..., terminal: Terminal = .plain) -> String {
        HelpPage(lineage: CommandLineFixture.parser.lineage(of: path) ?? [], terminal: terminal).render()
    }

    @Test func theFirstPageIsAMap() {
        #expect(
            page() == """
                mill: schedule and run tasks

                Usage: mill <command> [options]

                Run
                  enqueue  Publish an event
                  run      Run a command

                Plan
                  schedule  Work with schedules

                Help
                  completion  Print a completion script for a shell

                Options
                  -c, --config PATH  The configuration

                Help
                      --version  Show the version
                  -h, --help     Show this page

                Run `mill <command> --help` for more about a command.

                """)
    }

    @Test func aPageOfACommandShowsAllItTakes() {
        #expect(
            page("enqueue") == """
                mill enqueue: Publish an event

                Usage: mill enqueue [options] <task> [<payload>]

                The event runs as soon as a worker is free.

                Arguments
                  <task>       The task
                  [<payload>]  JSON

                Time
                      --delay DURATION  Not before this long
                      --at TIME         Not before this instant

                Options
                  -H, --header NAME=VALUE  A header (may be repeated)
                      --unique[=WINDOW]    Once for one payload
                  -n, --attempts N         Attempts (default: 5)
                  -w, --wait               Wait for the end
                  -q, --quiet              Say nothing
                      --max-size SIZE      Largest payload
                  -o, --output table|json  How to show the result (default: table)
                  -c, --config PATH        The configuration

                Help
                  -h, --help  Show this page

                Examples
                  # now
                  mill enqueue report

                """)
    }

    @Test func requiredOptionsStandInTheUsageLine() {
        #expect(page("schedule", "add").contains("Usage: mill schedule add --cron TEXT [options] <id>\n"))
        #expect(page("schedule", "add").contains("When, as a cron expression (required)"))
        #expect(page("run").contains("Usage: mill run [options] [<words>…]\n"))
    }

    @Test func linesKeepToTheWidth() {
        let narrow = Terminal(isInteractive: true, width: 44, usesColor: false)
        let lines = page("enqueue", terminal: narrow).split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("Usage:") || $0.count <= 44 })
        #expect(page("enqueue", terminal: narrow).contains("The event runs as soon as a worker is free."))
    }

    @Test func colourOnlyWhereItIsShown() {
        #expect(!page().contains("\u{1B}"))
        let colorful = Terminal(isInteractive: true, width: 80, usesColor: true)
        #expect(page(terminal: colorful).contains("\u{1B}[1mRun\u{1B}[0m"))
    }
}
