import Testing

@testable import TaskTelemetry

struct PrometheusTextTests {
    @Test func familiesAndSeriesInStableOrder() {
        let registry = MetricsRegistry()
        registry.counter("tidemill_b_total", help: "B.", labels: ["task": "z"]).increment(by: 3)
        registry.counter("tidemill_b_total", help: "B.", labels: ["task": "a", "queue": "q"]).increment()
        registry.gauge("tidemill_a", help: "A.").set(1.5)
        #expect(
            PrometheusText.render(registry) == """
                # HELP tidemill_a A.
                # TYPE tidemill_a gauge
                tidemill_a 1.5
                # HELP tidemill_b_total B.
                # TYPE tidemill_b_total counter
                tidemill_b_total{queue="q",task="a"} 1
                tidemill_b_total{task="z"} 3

                """)
    }

    @Test func histogramsAreCumulative() {
        let registry = MetricsRegistry()
        let histogram = registry.histogram("h_seconds", help: "H.", labels: ["t": "x"], bounds: [0.25, 1])
        for value in [0.25, 0.5, 2, 4] { histogram.observe(value) }
        #expect(
            PrometheusText.render(registry) == """
                # HELP h_seconds H.
                # TYPE h_seconds histogram
                h_seconds_bucket{t="x",le="0.25"} 1
                h_seconds_bucket{t="x",le="1"} 2
                h_seconds_bucket{t="x",le="+Inf"} 4
                h_seconds_sum{t="x"} 6.75
                h_seconds_count{t="x"} 4

                """)
        let plain = MetricsRegistry()
        plain.histogram("h", help: "H.", bounds: [1]).observe(2)
        #expect(PrometheusText.render(plain).contains("h_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\n"))
    }

    @Test func textIsEscaped() {
        let registry = MetricsRegistry()
        registry.gauge("g", help: "a\\b\nc \"d\"", labels: ["l": "a\\b\n\"c\""]).set(1)
        #expect(
            PrometheusText.render(registry)
                == "# HELP g a\\\\b\\nc \"d\"\n# TYPE g gauge\ng{l=\"a\\\\b\\n\\\"c\\\"\"} 1\n")
    }

    @Test(arguments: [
        (Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (3, "3"), (0.1, "0.1"), (1e20, "1e+20"),
    ])
    func numbers(value: Double, text: String) {
        let registry = MetricsRegistry()
        registry.gauge("g", help: "").set(value)
        #expect(PrometheusText.render(registry).hasSuffix("\ng \(text)\n"))
    }

    @Test func familiesWithoutSeriesAreLeftOut() {
        let registry = MetricsRegistry()
        registry.gauge("g", help: "G.", labels: ["partition": "1"]).set(1)
        registry.remove("g", labels: ["partition": "1"])
        #expect(PrometheusText.render(registry) == "")
    }
}

struct ProcessMetricsTests {
    private static let stat =
        "42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 1000 8192000 30 18446744073709551615 1 1 0"

    @Test func readsALineOfStat() throws {
        let metrics = try #require(
            ProcessMetrics(stat: Self.stat, bootSeconds: 500, ticksPerSecond: 100, pageSize: 4096))
        #expect(metrics.cpuSeconds == 3)
        #expect(metrics.startSeconds == 510)
        #expect(metrics.virtualBytes == 8_192_000)
        #expect(metrics.residentBytes == 122_880)
        #expect(ProcessMetrics(stat: "nonsense", bootSeconds: nil) == nil)
        #expect(ProcessMetrics(stat: "1 (x) S 1 2", bootSeconds: nil) == nil)
    }

    @Test func isRendered() throws {
        var metrics = try #require(
            ProcessMetrics(stat: Self.stat, bootSeconds: nil, ticksPerSecond: 100, pageSize: 4096))
        metrics.openDescriptors = 12
        let text = PrometheusText.render(MetricsRegistry(), process: metrics)
        #expect(text.contains("# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 3\n"))
        #expect(text.contains("process_open_fds 12\n"))
        #expect(!text.contains("start_time"))
        #expect(!text.contains("max_fds"))
    }

    #if os(Linux)
        @Test func thisProcess() throws {
            let metrics = try #require(ProcessMetrics.current())
            #expect(metrics.residentBytes > 1 << 20)
            #expect(try #require(metrics.startSeconds) > 1_500_000_000)
            #expect(try #require(metrics.openDescriptors) >= 3)
        }
    #endif
}
