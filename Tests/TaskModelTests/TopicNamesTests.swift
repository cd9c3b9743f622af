import Testing

@testable import TaskModel

@Suite("TopicNames")
struct TopicNamesTests {
    @Test("a due topic's queue is found, and only a due topic has one") func queues() {
        let names = TopicNames(prefix: "p.")
        #expect(names.due("mail.eu") == "p.due.mail.eu" && names.ledger("mail.eu") == "p.ledger.mail.eu")
        #expect(names.queue(ofDueTopic: "p.due.mail.eu") == "mail.eu")
        #expect(names.queue(ofDueTopic: "p.ledger.mail.eu") == nil)
        #expect(names.queue(ofDueTopic: "tidemill.due.mail") == nil)
        #expect(TopicNames().retry == "tidemill.retry")
    }

    @Test("a queue's name is what Kafka allows in a topic") func validity() {
        for name in ["a", "A.b_c-9", String(repeating: "q", count: 100)] { #expect(TopicNames.isValidQueueName(name)) }
        for name in ["", "a b", "a/b", "é", "a\u{0}", String(repeating: "q", count: 101)] {
            #expect(!TopicNames.isValidQueueName(name))
        }
    }
}
