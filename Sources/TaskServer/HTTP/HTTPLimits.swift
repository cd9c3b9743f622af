/// What one client may ask of the server. Times are milliseconds.
package struct HTTPLimits: Hashable, Sendable {
    /// Request line and headers together.
    package var headBytes = 16 << 10
    package var headers = 100
    package var bodyBytes = 1 << 20
    /// Further clients wait in the kernel's queue until a connection ends.
    package var connections = 32
    /// From the first byte of a request to its last one, however steadily the bytes drip.
    package var requestTime: Int64 = 10_000
    /// Without a request.
    package var idleTime: Int64 = 15_000
    /// For a response to be taken.
    package var writeTime: Int64 = 10_000
    /// For a client to stop sending after it was refused, so that it can read why.
    package var drainTime: Int64 = 2000

    package init() {}
}
