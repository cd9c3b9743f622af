import Testing

@testable import WorkerRole

@Suite("Complaints about refused appends")
struct AppendComplaintsTests {
    @Test("one line for many, with their number; another error is said at once")
    func rate() {
        var complaints = AppendComplaints()
        #expect(complaints.say("full", now: 0) == 0)
        #expect((1..<100).allSatisfy { complaints.say("full", now: $0 * 100) == nil })
        #expect(complaints.say("full", now: AppendComplaints.interval) == 99)
        #expect(complaints.say("full", now: AppendComplaints.interval + 1) == nil)
        #expect(complaints.say("timeout", now: AppendComplaints.interval + 2) == 1)
        #expect(complaints.say("full", now: AppendComplaints.interval + 3) == 0)
    }
}
