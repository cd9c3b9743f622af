package struct HTTPHeader: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A request as it came, its head checked.
package struct HTTPRequest: Hashable, Sendable {
    /// As sent: methods are case-sensitive.
    package var method: String
    /// Without query, percent-encoding as sent.
    package var path: String
    /// What follows the `?`, as sent; nil without one.
    package var query: String?
    /// Names in lower case.
    package var headers: [HTTPHeader]
    package var body: [UInt8]
    /// Whether the connection may serve another request after this one.
    package var keepsAlive: Bool

    /// The value of the first header of this name; nil when there is none. `name` in lower case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// What goes back.
package struct HTTPResponse: Hashable, Sendable {
    package var status: HTTPStatus
    package var contentType: String
    /// Besides those that the server adds: `Content-Type`, `Content-Length`, `Connection`, and that nothing may be kept.
    package var headers: [HTTPHeader]
    package var body: [UInt8]

    package init(_ status: HTTPStatus, contentType: String, headers: [HTTPHeader] = [], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// A line of text for people.
    package static func text(_ status: HTTPStatus, _ line: String) -> HTTPResponse {
        HTTPResponse(status, contentType: "text/plain; charset=utf-8", body: Array("\(line)\n".utf8))
    }

    package static func json(_ status: HTTPStatus, _ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(status, contentType: "application/json", body: body)
    }

    /// The bytes on the wire. A response to HEAD has every header of the one to GET and no body.
    func bytes(withBody: Bool, closes: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status.code) \(status.reason)\r\n"
        head += "Content-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n"
        head += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        if closes { head += "Connection: close\r\n" }
        return Array((head + "\r\n").utf8) + (withBody ? body : [])
    }
}

/// The statuses that the server uses.
package enum HTTPStatus: Hashable, Sendable {
    case ok, badRequest, notFound, methodNotAllowed, requestTimeout, contentTooLarge, expectationFailed
    case misdirected, headTooLarge, internalError, notImplemented, unavailable, versionNotSupported

    package var code: Int {
        switch self {
        case .ok: 200
        case .badRequest: 400
        case .notFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .contentTooLarge: 413
        case .expectationFailed: 417
        case .misdirected: 421
        case .headTooLarge: 431
        case .internalError: 500
        case .notImplemented: 501
        case .unavailable: 503
        case .versionNotSupported: 505
        }
    }

    var reason: String {
        switch self {
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .requestTimeout: "Request Timeout"
        case .contentTooLarge: "Content Too Large"
        case .expectationFailed: "Expectation Failed"
        case .misdirected: "Misdirected Request"
        case .headTooLarge: "Request Header Fields Too Large"
        case .internalError: "Internal Server Error"
        case .notImplemented: "Not Implemented"
        case .unavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }
}
