import ServiceRuntime
import TaskTestKit
import Testing

@Suite struct MailboxTests {
    @Test func receivesWhatArrivedAsOneBatchInOrder() async {
        let mailbox = Mailbox<Int>(capacity: 10)
        for number in 0..<5 { #expect(await mailbox.send(number)) }
        #expect(mailbox.count == 5)
        #expect(await mailbox.receive() == [0, 1, 2, 3, 4])
        #expect(mailbox.count == 0)
    }

    @Test func receiveWaitsForTheFirstElement() async throws {
        let mailbox = Mailbox<String>(capacity: 1)
        async let batch = mailbox.receive()
        mailbox.post("here")
        #expect(await batch == ["here"])
    }

    /// One producer cannot get more than the capacity ahead of the consumer.
    @Test func sendWaitsForRoom() async throws {
        let capacity = 3
        let mailbox = Mailbox<Int>(capacity: capacity)
        let sent = Observed(0)
        let producer = Task {
            for number in 0..<100 {
                await mailbox.send(number)
                sent.update { $0 += 1 }
            }
        }
        try await withTimeout("the producer fills the mailbox") { try await sent.wait { $0 == capacity } }
        var received: [Int] = []
        while received.count < 100, let batch = await mailbox.receive() {
            #expect((1...capacity).contains(batch.count))
            received += batch
        }
        #expect(received == Array(0..<100))
        await producer.value
    }

    @Test func manyProducersLoseNothingAndKeepTheirOwnOrder() async {
        let mailbox = Mailbox<[Int]>(capacity: 4)
        await withTaskGroup(of: Void.self) { group in
            for producer in 0..<8 {
                group.addTask {
                    for number in 0..<50 { await mailbox.send([producer, number]) }
                }
            }
            var next = Array(repeating: 0, count: 8)
            var count = 0
            while count < 400, let batch = await mailbox.receive() {
                for element in batch {
                    #expect(element[1] == next[element[0]])
                    next[element[0]] += 1
                }
                count += batch.count
            }
            #expect(next == Array(repeating: 50, count: 8))
        }
    }

    @Test func postNeverWaits() async {
        let mailbox = Mailbox<Int>(capacity: 1)
        for number in 0..<5 { #expect(mailbox.post(number)) }
        #expect(await mailbox.receive() == [0, 1, 2, 3, 4])
    }

    @Test func whatLiesUnreadAtCloseIsStillReceived() async {
        let mailbox = Mailbox<Int>(capacity: 10)
        mailbox.post(1)
        mailbox.close()
        #expect(!mailbox.post(2))
        #expect(await mailbox.send(3) == false)
        #expect(await mailbox.receive() == [1])
        #expect(await mailbox.receive() == nil)
        mailbox.close()
    }

    @Test func closeWakesTheConsumer() async throws {
        let mailbox = Mailbox<Int>(capacity: 1)
        let consumer = Task { await mailbox.receive() }
        mailbox.close()
        let received = try await withTimeout("receive after close") { await consumer.value }
        #expect(received == nil)
    }

    @Test func closeWakesWaitingProducers() async throws {
        let mailbox = Mailbox<Int>(capacity: 1)
        mailbox.post(0)
        let producers = (1...3).map { number in Task { await mailbox.send(number) } }
        mailbox.close()
        for producer in producers {
            let accepted = try await withTimeout("send after close") { await producer.value }
            #expect(!accepted)
        }
        #expect(await mailbox.receive() == [0])
        #expect(await mailbox.receive() == nil)
    }
}
