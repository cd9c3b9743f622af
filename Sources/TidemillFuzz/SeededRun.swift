import TaskModel

/// Mutations of a target's seeds, each a function of the run's seed and its index: any of them can be made again.
struct SeededRun {
    var target: FuzzTarget
    var seed: UInt64

    struct Count: Equatable {
        var read = 0
        var refused = 0
        var findings: [String] = []
    }

    /// `say` gets each finding as it is made.
    func run(_ indices: Range<Int>, say: (String) -> Void = { _ in }) throws -> Count {
        let seeds = try target.seeds()
        var count = Count()
        for bytes in seeds {
            LastWords.set("fuzz: FAILED \(target.name), a seed itself\n")
            guard try target.run(bytes) == .read else {
                throw FuzzFinding("a seed is refused: \(String(decoding: bytes.prefix(400), as: UTF8.self))")
            }
        }
        for index in indices {
            LastWords.set("fuzz: FAILED \(place(index)): the process was stopped\n")
            let bytes = input(index, seeds)
            do {
                switch try target.run(bytes) {
                case .read: count.read += 1
                case .refused: count.refused += 1
                }
            } catch {
                let text = "fuzz: FAILED \(place(index)): \(error): \(Self.hex(bytes))"
                count.findings.append(text)
                say(text)
            }
        }
        return count
    }

    /// The input of one index.
    func input(_ index: Int) throws -> [UInt8] { input(index, try target.seeds()) }

    private func input(_ index: Int, _ seeds: [[UInt8]]) -> [UInt8] {
        var mix = SplitMix64(seed: seed ^ UInt64(index) << 20)
        var mutator = Mutator(seed: mix.next())
        return mutator.input(from: seeds, isRecord: target.isRecord)
    }

    private func place(_ index: Int) -> String { "\(target.name) seed \(seed) index \(index)" }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
