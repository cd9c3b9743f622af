/// A waiting event as its due topic takes it: made when its record arrives, so that nothing but the append is left to do
/// when its time comes. A class, so that it goes through heap, outbox and acknowledgement as one reference.
public final class DueEmission: Sendable {
    public let coordinate: Coordinate
    public let queue: String
    public let due: Timestamp
    /// The record of the due topic.
    public let body: RecordBody

    /// Of a record of `retry`. What our encoder wrote keeps its headers as they lie there; anything else is encoded anew.
    public init(
        key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders, place: RecordPlace, recordedAt brokerTime: Timestamp
    ) throws(EventDecodingError) {
        let waiting = try WaitingEvent(key: key, value: value, headers: headers, place: place)
        var event = waiting.event
        coordinate = event.coordinate
        queue = waiting.queue
        due = waiting.dueTime(recordedAt: brokerTime)
        guard Self.isComplete(headers) else {
            event.dueAt = due
            body = event.encoded()
            return
        }
        var kept = headers.without(Self.replaced)
        kept.append(CloudEventHeader.dueAt, due.rfc3339)
        body = RecordBody(key: event.recordKey, value: event.payload, headers: kept)
    }

    /// The event, as whoever reads the due topic will see it.
    public func event(place: RecordPlace) throws(EventDecodingError) -> TaskEvent {
        try TaskEvent(key: body.key, value: body.value, headers: body.headers, place: place)
    }

    private static let replaced = WaitingEvent.ownHeaders.union([CloudEventHeader.dueAt])

    /// What a record must say by itself, or its next reader would read it otherwise than we do.
    private static let required = [
        CloudEventHeader.specVersion, CloudEventHeader.id, CloudEventHeader.source, CloudEventHeader.type,
        CloudEventHeader.subject, CloudEventHeader.fingerprint,
    ].map { Array($0.utf8) }

    private static func isComplete(_ headers: RecordHeaders) -> Bool {
        var found: UInt8 = 0
        headers.forEachPart { name, value, _ in
            guard value != nil else { return }
            for (index, wanted) in required.enumerated()
            where wanted.count == name.count && name.elementsEqual(wanted) {
                found |= 1 << UInt8(index)
            }
        }
        return found == 1 << UInt8(required.count) - 1
    }
}
