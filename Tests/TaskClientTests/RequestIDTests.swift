import Testing

@testable import TaskClient

struct RequestIDTests {
    @Test func copiesHaveTheSameWhoeverNeedsItFirst() {
        let request = PublishRequest(task: "report")
        var copy = request
        copy.queue = "mail"
        #expect(copy.id == request.id)
        #expect(request != copy)
        copy.queue = request.queue
        #expect(request == copy && request.hashValue == copy.hashValue)
    }

    @Test func anotherIDIsOfTheCopyAlone() {
        let request = PublishRequest(task: "report")
        var copy = request
        copy.id = "mine"
        #expect(copy.id == "mine")
        #expect(request.id != "mine")
        #expect(request != copy)
    }

    @Test func twoRequestsHaveTwo() {
        #expect(PublishRequest(task: "report") != PublishRequest(task: "report"))
    }

    @Test func isNotChosenByShowingIt() {
        let request = PublishRequest(task: "report")
        #expect("\(request)".contains("not chosen yet"))
        #expect(request.requestID.isOpen)
        let id = request.id
        #expect("\(request)".contains(id))
    }

    @Test func isChosenOnce() async {
        let id = RequestID()
        let texts = await withTaskGroup(of: String.self) { group in
            for number in 0..<100 { group.addTask { id.text { "\(number)" } } }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(texts == [id.text])
    }
}
