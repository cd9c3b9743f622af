import Foundation

/// Seeded mutations of what every reader takes; built with `FUZZ` and libFuzzer, the coverage-guided search instead.
enum FuzzProgram {
    static let usage = """
        usage: TidemillFuzz TARGET|all [--seed N] [--inputs N] [--index N]
        targets: \(FuzzTarget.all.map(\.name).joined(separator: " "))
        Run in the folder that holds schemas/. --index makes one input again and prints it.

        """

    /// The exit status: 0 when nothing was found.
    static func run(_ words: [String]) -> Int32 {
        guard let name = words.first, let numbers = numbers(words.dropFirst()),
            case let targets = FuzzTarget.all.filter({ name == "all" || $0.name == name }), !targets.isEmpty
        else {
            say(usage)
            return 2
        }
        LastWords.listen()
        var status: Int32 = 0
        for target in targets {
            do {
                let run = SeededRun(target: target, seed: numbers["seed"] ?? 1)
                var indices = 0..<Int(clamping: numbers["inputs"] ?? 20_000)
                if let index = numbers["index"].map({ Int(clamping: $0) }) {
                    indices = index..<index + 1
                    say("input: \(SeededRun.hex(try run.input(index)))")
                }
                let count = try run.run(indices, say: say)
                say(
                    "fuzz: \(target.name): \(indices.count) inputs of seed \(run.seed), \(count.read) read, "
                        + "\(count.refused) refused, \(count.findings.count) findings")
                if !count.findings.isEmpty { status = 1 }
            } catch {
                say("fuzz: FAILED \(target.name): \(error)")
                status = 1
            }
        }
        return status
    }

    private static func numbers(_ words: ArraySlice<String>) -> [String: UInt64]? {
        var rest = words
        var numbers: [String: UInt64] = [:]
        while let word = rest.popFirst() {
            guard ["--seed", "--inputs", "--index"].contains(word), let number = rest.popFirst().flatMap({ UInt64($0) })
            else { return nil }
            numbers[String(word.dropFirst(2))] = number
        }
        return numbers
    }

    static func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
}
