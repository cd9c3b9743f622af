import TaskLog
import Testing

@testable import WorkerRole

@Suite("Complaints about refused appends")
struct AppendComplaintsTests {
    @Test("one line for many, with their number; an error of another kind is said at once")
    func rate() {
        var complaints = AppendComplaints()
        #expect(complaints.say(.storage, now: 0) == 0)
        #expect((1..<100).allSatisfy { complaints.say(.storage, now: $0 * 100) == nil })
        #expect(complaints.say(.unavailable, now: 9950) == 0)
        #expect(complaints.say(.storage, now: AppendComplaints.interval) == 99)
        #expect(complaints.say(.storage, now: AppendComplaints.interval + 1) == nil)
        #expect(complaints.say(.unavailable, now: AppendComplaints.interval + 2) == nil)
    }
}
