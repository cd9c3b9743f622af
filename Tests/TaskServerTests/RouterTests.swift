import TaskTelemetry
import Testing

@testable import TaskServer

struct RouterTests {
    private func request(_ method: String, _ path: String) -> HTTPRequest {
        HTTPRequest(method: method, path: path, query: nil, headers: [], body: [], keepsAlive: true)
    }

    private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

    @Test func routes() async {
        let router = Router([
            .init("GET", "/a") { _ in .text(.ok, "got") }, .init("POST", "/a") { _ in .text(.ok, "posted") },
            .init("POST", "/b") { _ in .text(.ok, "b") },
        ])
        #expect(text(await router.respond(to: request("GET", "/a"))) == "got\n")
        #expect(text(await router.respond(to: request("HEAD", "/a"))) == "got\n")
        #expect(text(await router.respond(to: request("POST", "/a"))) == "posted\n")
        #expect(await router.respond(to: request("GET", "/c")).status == .notFound)
        let refused = await router.respond(to: request("DELETE", "/a"))
        #expect(refused.status == .methodNotAllowed)
        #expect(refused.headers == [HTTPHeader("Allow", "GET, POST, HEAD")])
        #expect(await router.respond(to: request("HEAD", "/b")).headers == [HTTPHeader("Allow", "POST")])
    }

    @Test func observability() async {
        let registry = MetricsRegistry()
        registry.counter("tidemill_x_total", help: "X.").increment()
        let router = Router(
            Router.Route.observability(
                metrics: registry, health: { HealthReport([.init("log", ok: true)]) },
                readiness: {
                    HealthReport([.init("log", ok: true), .init("group", ok: false, detail: "no partitions")])
                }))
        let metrics = await router.respond(to: request("GET", "/metrics"))
        #expect(metrics.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(text(metrics).contains("tidemill_x_total 1\n"))
        let health = await router.respond(to: request("GET", "/healthz"))
        #expect(health.status == .ok)
        #expect(text(health) == "{\"checks\":[{\"name\":\"log\",\"ok\":true}],\"ok\":true}\n")
        let readiness = await router.respond(to: request("GET", "/readyz"))
        #expect(readiness.status == .unavailable)
        #expect(text(readiness).contains("\"detail\":\"no partitions\""))
        #expect(HealthReport().ok)
    }
}
