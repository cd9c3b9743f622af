import Foundation
import Testing

@testable import TidemillCLI

struct CommandLineCompletionTests {
    /// What bash offers for the words of a line, the last of which is being typed.
    private func bash(_ words: String...) throws -> [String] {
        let line = words.map { "'\($0)'" }.joined(separator: " ")
        let probe = """
            \(CompletionShell.bash.script(for: CommandLineFixture.root))
            COMP_WORDS=(mill \(line)); COMP_CWORD=\(words.count); _mill
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["--norc", "-u", "-c", probe]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return text.split(separator: "\n").map(String.init)
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash")))
    func bashOffersWhatFits() throws {
        #expect(try bash("") == ["enqueue", "run", "schedule", "completion"])
        #expect(try bash("s") == ["schedule"])
        #expect(try bash("schedule", "") == ["add", "list"])
        #expect(try bash("--config", "x", "schedule", "l") == ["list"])
        #expect(try bash("--config", "run", "schedule", "l") == ["list"])
        #expect(try bash("schedule", "list", "--") == ["--output", "--config", "--help"])
        #expect(try bash("schedule", "list", "--output", "j") == ["json"])
        #expect(try bash("schedule", "list", "-o", "") == ["table", "json"])
        #expect(try bash("schedule", "list", "--output", "=", "t") == ["table"])
        #expect(try bash("schedule", "list", "--output", "=") == ["table", "json"])
        #expect(try bash("completion", "") == ["bash", "zsh", "fish"])
        #expect(try bash("enqueue", "") == [])
    }

    @Test func zshHasAFunctionForEachCommand() {
        let script = CompletionShell.zsh.script(for: CommandLineFixture.root)
        #expect(script.hasPrefix("#compdef mill\n"))
        for name in ["_mill", "_mill_enqueue", "_mill_schedule", "_mill_schedule_add", "_mill_completion"] {
            #expect(script.contains("\n\(name)() {\n"))
        }
        #expect(script.contains("'--delay=[Not before this long]:DURATION: '"))
        #expect(script.contains("'*'{'-H+[A header]:NAME=VALUE: ','--header=[A header]:NAME=VALUE: '}"))
        #expect(script.contains("'--unique=-[Once for one payload]::WINDOW: '"))
        #expect(script.contains("'1:shell:(bash zsh fish)'"))
    }

    @Test func fishConditionsNameTheCommand() {
        let script = CompletionShell.fish.script(for: CommandLineFixture.root)
        #expect(
            script.contains(
                "--condition '__mill_at \\'mill schedule list\\'' --long-option output --short-option o "
                    + "--require-parameter --no-files --arguments 'table json'"))
        #expect(script.contains("--condition '__mill_at \\'mill\\'' --arguments 'schedule'"))
        #expect(script.contains("case 'mill enqueue' 'mill run' 'mill schedule' 'mill schedule add'"))
    }
}
