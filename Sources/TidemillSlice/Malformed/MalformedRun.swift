import Foundation
import ServiceRuntime
import TaskLog
import TaskModel
import TidemillHarness

/// Very many records that nobody can read, through one worker: each ends as a dead letter with its bytes, none is lost, the
/// worker lives on and does not grow with them.
struct MalformedRun: Sendable {
    private let place: RunPlace
    private let count: Int
    private let records: MalformedRecords
    private let time = SystemTimeSource()

    private static let batch = 2000
    /// Valid events before and after.
    private static let valid = 100
    /// KiB by which the worker may grow, however many there are. 700,000 letters let it grow by 390 MiB; it was flat over the
    /// last 40,000 that were looked at.
    private static let growth = 512 << 10

    init(_ arguments: SliceArguments) throws {
        count = try arguments.number("events", standard: 1_000_000, in: 100...10_000_000)
        let seed = try arguments.seed()
        place = RunPlace(
            folder: try arguments.text("folder"), engine: try arguments.engine(), prefix: "malformed\(seed).")
        records = MalformedRecords(
            seed: seed, topic: TopicNames(prefix: place.prefix).due(TopicNames.defaultQueue),
            partitions: Int32(place.partitions))
    }

    /// Whether everything held.
    func run() async throws -> Bool {
        SliceProgram.say("\(count) malformed records, seed \(records.seed), one worker, in \(place.folder)")
        return try await Bench.with(place) { bench in
            let worker = try await bench.fleet.start(.worker, "worker1")
            try await publishValid(bench, 0)
            let start = ProcessFacts(processID: worker.processID)
            let memory = Shared(start?.memory ?? 0)
            let began = time.uptime()
            var tally = try await write(bench, worker, memory)
            SliceProgram.say("written: \(count) in \(time.uptime() - began) ms")
            try await waitForLetters(bench, worker, memory)
            let length = time.uptime() - began
            try await publishValid(bench, 1)
            let end = ProcessFacts(processID: worker.processID)
            let isAlive = worker.end == nil
            let badEnds = await bench.fleet.stopAll() + bench.watch.read(\.unexpectedEnds)
            for text in badEnds { SliceProgram.say("ended badly: \(text)") }
            let letters = try await readLetters(bench, &tally)
            let grown = max(memory.value, end?.memory ?? 0) - (start?.memory ?? 0)
            func facts(_ path: KeyPath<ProcessFacts, Int>) -> String {
                "\(start.map { "\($0[keyPath: path])" } ?? "-")/\(end.map { "\($0[keyPath: path])" } ?? "-")"
            }
            let checks = [
                Check(note: "malformed records written", count),
                Check(note: "ms until the last letter", Int(length)),
                Check("without a letter", tally.lost, equals: 0),
                Check("letters with other bytes than the record", tally.changed, equals: 0),
                Check("letters about nothing that was written", tally.strange, equals: 0),
                Check(note: "letters, those sent twice included", letters),
                Check(note: "records with a letter sent twice", tally.repeated),
                Check("valid events completed, before and after", completed(bench), equals: 2 * Self.valid),
                Check("worker alive at the end", isAlive ? 1 : 0, equals: 1),
                Check("processes that ended badly", badEnds.count, equals: 0),
                Check(note: "worker memory KiB at start/end", facts(\.memory)),
                Check(
                    "worker grew by KiB, at most", "\(grown)", wanted: "≤ \(Self.growth)", isOK: grown <= Self.growth),
                Check(note: "worker descriptors at start/end", facts(\.descriptors)),
            ]
            SliceProgram.say("\n" + CheckTable.render("malformed: \(count) records, seed \(records.seed)", checks))
            return checks.allSatisfy(\.isOK)
        }
    }

    private func completed(_ bench: Bench) -> Int {
        bench.watch.read { state in state.ends.values.count { $0 == .completed } }
    }

    private func publishValid(_ bench: Bench, _ round: Int) async throws {
        let first = round * Self.valid
        _ = try await bench.publish((first..<first + Self.valid).map { try Work(index: $0).request() })
        try await bench.watch.wait(for: "valid events to complete") { state in
            state.ends.values.count { $0 == .completed } >= first + Self.valid
        }
    }

    private func write(_ bench: Bench, _ worker: ChildProcess, _ memory: Shared<Int>) async throws -> LetterTally {
        var tally = LetterTally(partitions: place.partitions)
        for first in stride(from: 0, to: count, by: Self.batch) {
            let batch = try (first..<min(count, first + Self.batch)).map(records.record)
            for (record, result) in zip(batch, await bench.installation.log.append(batch)) {
                tally.wrote(
                    MalformedRecords.checksum(key: record.key, value: record.value, headers: record.headers),
                    partition: record.partition, offset: try result.get().offset)
            }
            look(worker, memory)
            if first % 100_000 == 0 { SliceProgram.say("  \(first) written, worker \(memory.value) KiB at most") }
        }
        return tally
    }

    private func waitForLetters(_ bench: Bench, _ worker: ChildProcess, _ memory: Shared<Int>) async throws {
        var last = -1
        var progress = time.uptime()
        while true {
            let letters = bench.watch.read(\.letters.count)
            look(worker, memory)
            if letters >= count { return }
            if letters > last { progress = time.uptime() }
            guard time.uptime() - progress < 60_000 else {
                throw SliceFailure("\(letters) letters for \(count) records, and none more for 60 s")
            }
            last = letters
            try await time.sleep(milliseconds: 500)
        }
    }

    private func look(_ worker: ChildProcess, _ memory: Shared<Int>) {
        guard let facts = ProcessFacts(processID: worker.processID) else { return }
        memory.change { $0 = max($0, facts.memory) }
    }

    private func readLetters(_ bench: Bench, _ tally: inout LetterTally) async throws -> Int {
        let found = Shared((tally: tally, letters: 0))
        let plan = bench.installation.configuration.topicPlan
        for partition in 0..<Int32(plan.controlPartitions) {
            let dead = TopicPartition(plan.names.dead, partition)
            try await bench.installation.log.scanAll(dead) { records in
                for record in records {
                    let place = RecordPlace(topic: record.topic, partition: record.partition, offset: record.offset)
                    guard
                        case .letter(let letter) = try DeadTopicRecord(
                            key: record.key, value: record.value, headers: record.headers, place: place)
                    else { continue }
                    found.change {
                        $0.tally.add(letter)
                        $0.letters += 1
                    }
                }
                return true
            }
        }
        tally = found.value.tally
        return found.value.letters
    }
}
