public import Foundation

/// Where the request for a task goes, and how. Values of headers are taken for secrets: no description shows them.
public struct HTTPConfiguration: Hashable, Sendable {
    public enum Method: String, Hashable, Sendable, CaseIterable {
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
    }

    /// `http` or `https`, with a host and without user or password: credentials belong in ``headers``.
    public var url: URL
    /// Default POST.
    public var method: Method
    /// Sent with each request. Those that the handler sets itself (`Content-Type`, `Idempotency-Key`, `ce-…`, `traceparent`)
    /// and those of the connection (`Host`, `Content-Length`, …) are refused.
    public var headers: [String: String]
    /// Connections to the host that may be open at once; further requests wait. Default 64.
    public var connections: Int
    /// Bytes of a response body that are read; then the transfer is ended. Default 64 KiB.
    public var responseLimit: Int

    public init(
        _ url: URL, method: Method = .post, headers: [String: String] = [:], connections: Int = 64,
        responseLimit: Int = 65_536
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.connections = connections
        self.responseLimit = responseLimit
    }

    /// What is wrong with the values, in the words of the configuration; empty when nothing is.
    public var problems: [String] {
        var problems: [String] = []
        if !["http", "https"].contains(url.scheme?.lowercased()) { problems.append("url must be http or https") }
        if url.host?.isEmpty != false { problems.append("url must name a host") }
        if url.user != nil || url.password != nil {
            problems.append("url must not hold a user or password: use a header")
        }
        var seen: Set<String> = []
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            let lower = name.lowercased()
            if !HTTPHeaders.isName(name) {
                problems.append("\"\(name)\" is not the name of a header")
            } else if HTTPHeaders.isReserved(lower) {
                problems.append("header \(name) is set by Tidemill")
            } else if !seen.insert(lower).inserted {
                problems.append("header \(name) is given twice")
            }
            if !HTTPHeaders.isValue(value) {
                problems.append("the value of header \(name) contains a character that is not allowed there")
            }
        }
        if connections < 1 { problems.append("connections must be at least 1") }
        if responseLimit < 0 { problems.append("response_limit must not be negative") }
        return problems
    }

    /// Method, scheme, host and path: what messages may show. The query may hold a secret.
    var target: String {
        let port = url.port.map { ":\($0)" } ?? ""
        return "\(method.rawValue) \(url.scheme ?? "")://\(url.host ?? "")\(port)\(url.path)"
    }
}

extension HTTPConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(target), headers \(headers.keys.sorted())" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["target": target, "headers": headers.keys.sorted()]) }
}
