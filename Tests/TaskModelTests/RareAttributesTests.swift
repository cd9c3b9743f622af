import Testing

@testable import TaskModel

@Suite struct RareAttributesTests {
    private let plain = TaskEvent(
        id: "1", source: "s", task: "t", payload: [], fingerprint: Fingerprint(high: 1, low: 2))

    /// The default of each is said where it is read, too.
    @Test func withoutThemAnEventHasTheirDefaults() {
        let rare = RareAttributes()
        #expect(plain.rareAttributes == rare)
        #expect(plain.firstDueAt == rare.firstDueAt && plain.expiresAt == rare.expiresAt)
        #expect(plain.partitionKey == rare.partitionKey && plain.traceParent == rare.traceParent)
        #expect(plain.scheduleID == rare.scheduleID && plain.nominalTime == rare.nominalTime)
        #expect(plain.standsFor == rare.standsFor && plain.overlap == rare.overlap)
        #expect(plain.overlapLimit == rare.overlapLimit && plain.pausesOnFailure == rare.pausesOnFailure)
        #expect(plain.retryPolicy == rare.retryPolicy && plain.history == rare.history)
        #expect(plain.isForwarded == rare.isForwarded && plain.extraHeaders == rare.extraHeaders)
    }

    @Test func setAndTakenBackTheyLeaveNothing() {
        var event = plain
        event.standsFor = 3
        event.partitionKey = "lane"
        let copy = event
        #expect(event != plain)
        event.standsFor = 1
        event.partitionKey = nil
        #expect(event == plain && event.hashValue == plain.hashValue)
        #expect(copy.standsFor == 3 && copy.partitionKey == "lane")
    }
}
