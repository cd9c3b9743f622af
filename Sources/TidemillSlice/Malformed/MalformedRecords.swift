import TaskLog
import TaskModel

/// Records of a due topic that nobody can read: functions of seed and index, each of another kind of nonsense.
struct MalformedRecords: Sendable {
    var seed: UInt64
    var topic: String
    var partitions: Int32

    func record(_ index: Int) throws -> LogAppend {
        var mix = SplitMix64(seed: seed ^ UInt64(index))
        var random = SplitMix64(seed: mix.next())
        let noise = (0..<Int(random.next() % 120)).map { _ in UInt8.random(in: 0...255, using: &random) }
        var key: [UInt8]? = random.nextUnit() < 0.5 ? nil : Array(noise.prefix(20))
        var value: [UInt8]? = noise
        var headers: [RecordHeader] = []
        let notText: [UInt8] = [0xc3, 0x28] + noise.prefix(8)
        switch index % 10 {
        case 0: headers = [RecordHeader("x-noise", noise), RecordHeader("x-noise", nil)]
        case 1: headers = [RecordHeader("ce_subject", notText)]
        case 2: headers = [RecordHeader("ce_subject", nil)]
        case 3:
            headers = [RecordHeader("content-type", "application/cloudevents+json")]
            value = Array(#"{"specversion":"1.0","id":"\#(index)","data":{"cut"#.utf8)
        case 4: headers = [RecordHeader("ce_subject", Work.task), RecordHeader("ce_fingerprint", "no fingerprint")]
        case 5: headers = [RecordHeader("ce_subject", Work.task), RecordHeader("ce_turn", "99999999999999999999")]
        case 6: value = Array(#"{"specversion":"1.0","subject":"#.utf8) + noise
        case 7: headers = [RecordHeader("ce_subject", Work.task), RecordHeader("ce_subject", notText)]
        case 8:
            key = nil
            value = nil
        default: value = Array(repeating: 0xff, count: 4096) + noise
        }
        let place = RecordPlace(topic: topic, partition: 0, offset: 0)
        guard (try? TaskEvent(key: key, value: value, headers: .init(headers), place: place)) == nil else {
            throw SliceFailure("malformed record \(index) can be read")
        }
        return LogAppend(
            topic: topic, partition: Int32(index) % partitions, key: key, value: value,
            headers: .init(headers))
    }

    /// 64 bits of all bytes of a record, each part with its length (FNV-1a). No value and an empty one are the same: a letter
    /// cannot tell them apart.
    static func checksum(
        key: [UInt8]?, value: [UInt8]?, headers: some Sequence<RecordHeader>
    ) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ bytes: some Collection<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        }
        func add(part: [UInt8]?) {
            add("\(part?.count ?? -1):".utf8)
            add(part ?? [])
        }
        add(part: key)
        add(part: value ?? [])
        for header in headers {
            add(part: Array(header.name.utf8))
            add(part: header.value)
        }
        return hash
    }
}
