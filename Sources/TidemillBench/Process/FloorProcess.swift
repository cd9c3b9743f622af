import CRawFloor
import Foundation
import TaskModel
import TidemillHarness

struct FloorOrder: Codable, Sendable {
    enum Kind: Codable, Sendable {
        /// `inFlight` 0: no limit.
        case publish(inFlight: Int32)
        case burnDown(group: String)
        case latency(rate: Double)
        case sqlitePublish(perTransaction: Int32)
        case sqliteBurnDown(perTransaction: Int32)
        case sqliteLatency(rate: Double)

        var isOfLatency: Bool {
            switch self {
            case .latency, .sqliteLatency: true
            case .publish, .burnDown, .sqlitePublish, .sqliteBurnDown: false
            }
        }
    }

    var kind: Kind
    /// Empty for SQLite.
    var bootstrap = ""
    var topic = ""
    var outcomeTopic = ""
    /// Of SQLite; must not exist.
    var path = ""
    var partitions: Int
    var count: Int
    var payloadBytes: Int
}

/// The bare libraries at work, with the headers that an event of ours has.
enum FloorProcess {
    static func run(_ order: FloorOrder) throws -> Int32 {
        RoleProcess.endWithParent()
        let headers = sampleHeaders(order.payloadBytes)
        let names = headers.map { copy($0.name) }
        let values = headers.map { copy($0.text ?? "") }
        let texts = [copy(order.bootstrap), copy(order.topic), copy(order.outcomeTopic)]
        defer { for text in names + values + texts { free(UnsafeMutablePointer(mutating: text)) } }
        let summary = names.withUnsafeBufferPointer { names in
            values.withUnsafeBufferPointer { values in
                var work = raw_floor_work(
                    bootstrap: texts[0], topic: texts[1], outcome_topic: texts[2],
                    partitions: Int32(order.partitions), count: Int64(order.count),
                    payload_bytes: Int32(order.payloadBytes), header_count: Int32(headers.count),
                    header_names: names.baseAddress, header_values: values.baseAddress, timeout_seconds: 120)
                return run(order, &work)
            }
        }
        try ChildLine.write(summary: summary)
        return 0
    }

    /// For C; to be freed.
    private static func copy(_ text: String) -> UnsafePointer<CChar>? { UnsafePointer(strdup(text)) }

    private static func run(_ order: FloorOrder, _ work: inout raw_floor_work) -> FloorSummary {
        let times = order.kind.isOfLatency ? order.count : 0
        var toStart = [Int64](repeating: 0, count: times)
        var toSettled = toStart
        let result: raw_floor_result
        switch order.kind {
        case .publish(let inFlight): result = raw_floor_kafka_publish(&work, inFlight)
        case .burnDown(let group): result = raw_floor_kafka_burn_down(&work, group)
        case .latency(let rate): result = raw_floor_kafka_latency(&work, rate, &toStart, &toSettled)
        case .sqlitePublish(let size): result = raw_floor_sqlite_publish(order.path, &work, size)
        case .sqliteBurnDown(let size): result = raw_floor_sqlite_burn_down(order.path, &work, size)
        case .sqliteLatency(let rate):
            result = raw_floor_sqlite_latency(order.path, &work, rate, &toStart, &toSettled)
        }
        let problem = withUnsafeBytes(of: result.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return FloorSummary(
            records: result.records, nanoseconds: result.nanoseconds, problem: problem, use: ProcessReading.own(),
            toStart: histogram(toStart), toSettled: histogram(toSettled))
    }

    private static func histogram(_ values: [Int64]) -> Histogram? {
        guard !values.isEmpty else { return nil }
        return values.reduce(into: Histogram()) { $0.record(UInt64(max(0, $1))) }
    }

    /// Those of an event that is due now.
    private static func sampleHeaders(_ payloadBytes: Int) -> RecordHeaders {
        var event = TaskEvent(
            id: "9b2f0c5e-6d1a-4c3b-8f7e-0a1b2c3d4e5f", source: "tidemill", task: BenchPlace.task,
            payload: WorkOrder().payload(payloadBytes), contentType: "application/octet-stream",
            fingerprint: Fingerprint(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210))
        event.publishedAt = Timestamp(milliseconds: BenchClock.wall() / 1_000_000)
        return event.encoded().headers
    }
}
