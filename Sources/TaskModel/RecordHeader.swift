public import RecordFormat

/// Headers are part of events, and of every log.
public typealias RecordHeader = RecordFormat.RecordHeader
public typealias RecordHeaders = RecordFormat.RecordHeaders
