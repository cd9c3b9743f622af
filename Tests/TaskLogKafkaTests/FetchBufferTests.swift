import TaskLog
import TaskModel
import Testing

@testable import TaskLogKafka

struct FetchBufferTests {
    private let a = TopicPartition("t", 0)
    private let b = TopicPartition("t", 1)

    private func records(_ partition: TopicPartition, _ offsets: Range<Int64>, bytes: Int = 0) -> [LogRecord] {
        offsets.map {
            LogRecord(
                topic: partition.topic, partition: partition.partition, offset: $0, timestamp: .epoch, key: nil,
                value: Array(repeating: 0, count: bytes))
        }
    }

    @Test func aStartIsOneRequest() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        #expect(buffer.takeRequest() == nil)
        buffer.start([a: 5])
        buffer.start([b: 7])
        #expect(buffer.takeRequest() == .init(positions: [a: 5, b: 7], serial: 1))
        #expect(buffer.takeRequest() == nil)
    }

    /// A reader that lay idle is asked again: the silence before that is none of the new request's.
    @Test func nothingIsExpectedOfARequestThatHasNotBeenReadYet() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        #expect(!buffer.isHungry(at: 0))
        buffer.start([a: 5])
        _ = buffer.takeRequest()
        #expect(!buffer.isHungry(at: 0))
        #expect(buffer.isHungry(at: 1))
        buffer.accept(records(a, 5..<8), serial: 1)
        #expect(!buffer.isHungry(at: 1))
    }

    @Test func aRequestAsksForWhatIsNotThereYet() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 5])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 5..<8), serial: 1)
        buffer.start([b: 0])
        #expect(buffer.takeRequest() == .init(positions: [a: 8, b: 0], serial: 2))
        // The old request still brings the same records for a while, the new one repeats what was under way.
        buffer.accept(records(a, 8..<10), serial: 1)
        buffer.accept(records(a, 8..<12), serial: 2)
        #expect(buffer.take(100).map(\.offset) == Array(5..<12))
    }

    @Test func aRestartTakesNothingOfBefore() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 0..<4), serial: 1)
        buffer.start([a: 2])
        buffer.accept(records(a, 4..<6), serial: 1)
        #expect(buffer.take(100).isEmpty)
        _ = buffer.takeRequest()
        buffer.accept(records(a, 6..<8), serial: 1)
        buffer.accept(records(a, 2..<5), serial: 2)
        #expect(buffer.take(100).map(\.offset) == [2, 3, 4])
    }

    @Test func recordsOfARemovedPartitionAreDropped() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0, b: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 0..<4), serial: 1)
        buffer.accept(records(b, 0..<4), serial: 1)
        buffer.remove([a])
        buffer.accept(records(a, 4..<6), serial: 1)
        #expect(buffer.take(100).allSatisfy { $0.topicPartition == b })
        #expect(buffer.takeRequest() == .init(positions: [b: 4], serial: 2))
    }

    @Test func aShortPauseCostsNoRequest() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0, b: 0])
        _ = buffer.takeRequest()
        buffer.pause([a])
        buffer.accept(records(a, 0..<3), serial: 1)
        buffer.accept(records(b, 0..<3), serial: 1)
        #expect(buffer.take(100).map(\.topicPartition) == [b, b, b])
        #expect(!buffer.hasReady)
        buffer.resume([a])
        #expect(buffer.hasReady)
        #expect(buffer.take(100).map(\.offset) == [0, 1, 2])
        #expect(buffer.takeRequest() == nil)
    }

    @Test func aFullBufferStopsUntilHalfIsTaken() {
        var buffer = FetchBuffer(maximumBytes: 4000)
        buffer.start([a: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 0..<10, bytes: 300), serial: 1)
        #expect(buffer.isOverfull && buffer.takeRequest() == nil)
        buffer.relieve()
        #expect(buffer.takeRequest() == .init(positions: [:], serial: 2))
        _ = buffer.take(5)
        #expect(buffer.takeRequest() == nil)
        _ = buffer.take(3)
        #expect(buffer.takeRequest() == .init(positions: [a: 10], serial: 3))
    }

    @Test func pausedPartitionsMakeRoomForOthers() {
        var buffer = FetchBuffer(maximumBytes: 4000)
        buffer.start([a: 0, b: 0])
        _ = buffer.takeRequest()
        buffer.pause([a])
        buffer.accept(records(a, 0..<10, bytes: 300), serial: 1)
        #expect(buffer.isOverfull && buffer.takeRequest() == nil)
        buffer.relieve()
        // The paused one is not fetched any more, the other one still is.
        #expect(buffer.takeRequest() == .init(positions: [b: 0], serial: 2))
        #expect(buffer.bufferedBytes == 0)
        buffer.accept(records(a, 10..<12), serial: 1)
        buffer.resume([a])
        #expect(buffer.takeRequest() == .init(positions: [a: 0, b: 0], serial: 3))
        buffer.accept(records(a, 12..<14), serial: 2)
        buffer.accept(records(a, 0..<2), serial: 3)
        #expect(buffer.take(100).map(\.offset) == [0, 1])
    }

    @Test func aPauseOfWhatFillsTheBufferFreesIt() {
        var buffer = FetchBuffer(maximumBytes: 4000)
        buffer.start([a: 0, b: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 0..<10, bytes: 300), serial: 1)
        #expect(buffer.isOverfull && buffer.takeRequest() == nil)
        buffer.relieve()
        #expect(buffer.takeRequest()?.positions == [:])
        buffer.pause([a])
        #expect(buffer.takeRequest()?.positions == [b: 0])
        buffer.resume([a])
        #expect(buffer.takeRequest()?.positions == [a: 0, b: 0])
    }

    @Test func partitionsTakeTurns() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0, b: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 0..<100), serial: 1)
        buffer.accept(records(b, 0..<100), serial: 1)
        let turns = (0..<4).map { _ in Set(buffer.take(10).map(\.topicPartition)) }
        #expect(turns[0] != turns[1] && turns[0] == turns[2] && turns[1] == turns[3])
    }

    /// However lists and batches are cut: all come, once, in order, never more than asked for, and the count of bytes ends
    /// where it began.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func nothingIsLostBetweenListsAndBatches(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var buffer = FetchBuffer(maximumBytes: 1 << 30)
        buffer.start([a: 0, b: 0])
        _ = buffer.takeRequest()
        var accepted: [TopicPartition: Int64] = [a: 0, b: 0]
        var taken: [TopicPartition: [Int64]] = [a: [], b: []]
        for _ in 0..<200 {
            let partition = Bool.random(using: &random) ? a : b
            let count = ([1, 3, 200, 256, 257, 700] as [Int64]).randomElement(using: &random)!
            // Some of them came before.
            let first = max(0, accepted[partition]! - Int64.random(in: 0...300, using: &random))
            buffer.accept(records(partition, first..<first + count), serial: 1)
            accepted[partition] = max(accepted[partition]!, first + count)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let maximum = [1, 100, 256, 500, 1000].randomElement(using: &random)!
                let batch = buffer.take(maximum)
                #expect(batch.count <= maximum && (!batch.isEmpty || !buffer.hasReady))
                for record in batch { taken[record.topicPartition]!.append(record.offset) }
            }
        }
        while buffer.hasReady {
            for record in buffer.take(1000) { taken[record.topicPartition]!.append(record.offset) }
        }
        #expect(taken == accepted.mapValues { Array(0..<$0) })
        #expect(buffer.bufferedBytes == 0)
    }

    @Test func anEndIsToldAfterTheRecordsBeforeIt() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 0..<3), serial: 1)
        buffer.noteEnd(a, offset: 5, serial: 1)
        #expect(buffer.takeEnd() == nil)
        _ = buffer.take(100)
        #expect(buffer.takeEnd()?.1 == 5)
        #expect(buffer.takeEnd() == nil)
        buffer.start([a: 0])
        buffer.noteEnd(a, offset: 5, serial: 1)
        #expect(buffer.takeEnd() == nil, "an end of the request before")
    }

    @Test func aPositionOutsideTheLogIsHeldAndMoved() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 3, b: 0])
        _ = buffer.takeRequest()
        #expect(buffer.hold(a, serial: 0) == nil, "news of an older request")
        #expect(buffer.hold(a, serial: 1) == 3)
        #expect(buffer.hold(a, serial: 1) == nil, "told once")
        buffer.move(a, from: 3, to: 20)
        #expect(buffer.takeRequest()?.positions == [a: 20, b: 0])
        buffer.move(a, from: 3, to: 40)
        #expect(buffer.takeRequest() == nil, "not held any more")
    }

    @Test func aSkipLeavesTheRequestAndDropsWhatLiesBefore() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0, b: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 0..<3), serial: 1)
        buffer.skip(to: [a: 6, b: 0, TopicPartition("t", 2): 9])
        #expect(buffer.takeRequest() == nil)
        #expect(buffer.takeSkips() == .init(positions: [a: 6], serial: 1))
        #expect(buffer.takeSkips() == nil)
        buffer.accept(records(a, 3..<8), serial: 1)
        buffer.skip(to: [a: 7])
        #expect(buffer.takeSkips() == nil, "it is there already")
        #expect(buffer.take(100).map(\.offset) == [0, 1, 2, 6, 7])
    }

    /// The next request begins where the skip led.
    @Test func aSkipIsPartOfTheNextRequest() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0])
        _ = buffer.takeRequest()
        buffer.skip(to: [a: 6])
        buffer.start([b: 2])
        #expect(buffer.takeSkips() == nil)
        #expect(buffer.takeRequest() == .init(positions: [a: 6, b: 2], serial: 2))
        #expect(buffer.takeSkips() == nil)
    }

    /// Where the log does not hold a position, its bounds are asked for that one.
    @Test func aHeldPartitionSkipsNothing() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 3])
        _ = buffer.takeRequest()
        #expect(buffer.hold(a, serial: 1) == 3)
        buffer.skip(to: [a: 6])
        buffer.move(a, from: 3, to: 5)
        #expect(buffer.takeRequest() == .init(positions: [a: 5], serial: 2))
    }

    @Test func aNegativeOffsetIsTheBeginning() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: -1])
        #expect(buffer.takeRequest()?.positions == [a: 0])
    }

    @Test func gapsAreNoLoss() {
        var buffer = FetchBuffer(maximumBytes: 1 << 20)
        buffer.start([a: 0])
        _ = buffer.takeRequest()
        buffer.accept(records(a, 2..<3) + records(a, 9..<10), serial: 1)
        #expect(buffer.take(100).map(\.offset) == [2, 9])
        buffer.start([b: 0])
        #expect(buffer.takeRequest()?.positions == [a: 10, b: 0])
    }
}
