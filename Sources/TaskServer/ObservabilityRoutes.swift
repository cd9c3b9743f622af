import TaskModel
package import TaskTelemetry

extension Router.Route {
    /// `GET /metrics`, `/healthz` and `/readyz`: what Prometheus and a supervisor ask.
    ///
    /// `/healthz` says whether the process works (a supervisor restarts it when not), `/readyz` whether it takes work. Both
    /// answer 200 or 503 with the report as JSON.
    package static func observability(
        metrics: MetricsRegistry, health: @escaping @Sendable () async -> HealthReport,
        readiness: @escaping @Sendable () async -> HealthReport
    ) -> [Router.Route] {
        [
            Router.Route("GET", "/metrics") { _ in
                let text = PrometheusText.render(metrics, process: ProcessMetrics.current())
                return HTTPResponse(.ok, contentType: PrometheusText.contentType, body: Array(text.utf8))
            },
            Router.Route("GET", "/healthz") { _ in response(await health()) },
            Router.Route("GET", "/readyz") { _ in response(await readiness()) },
        ]
    }

    private static func response(_ report: HealthReport) -> HTTPResponse {
        .json(report.ok ? .ok : .unavailable, CanonicalJSON.encode(report) + [0x0A])
    }
}
