/// Which handler answers which request: a value, so that routes of different origin are joined by adding arrays.
package struct Router: Sendable {
    package struct Route: Sendable {
        package var method: String
        /// Compared as a whole.
        package var path: String
        package var handler: @Sendable (HTTPRequest) async -> HTTPResponse

        package init(
            _ method: String, _ path: String, _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
        ) {
            self.method = method
            self.path = path
            self.handler = handler
        }
    }

    package var routes: [Route]

    package init(_ routes: [Route]) {
        self.routes = routes
    }

    /// The answer of the route that fits; HEAD is GET whose body the server leaves out. 404 for an unknown path, 405 with
    /// `Allow` for a path that has other methods.
    package func respond(to request: HTTPRequest) async -> HTTPResponse {
        let candidates = routes.filter { $0.path == request.path }
        guard !candidates.isEmpty else { return .text(.notFound, "there is nothing at this path") }
        let method = request.method == "HEAD" ? "GET" : request.method
        if let route = candidates.first(where: { $0.method == method }) { return await route.handler(request) }
        var allowed = candidates.map(\.method)
        if allowed.contains("GET") { allowed.append("HEAD") }
        var response = HTTPResponse.text(.methodNotAllowed, "this path does not take \(request.method)")
        response.headers.append(HTTPHeader("Allow", allowed.joined(separator: ", ")))
        return response
    }
}
