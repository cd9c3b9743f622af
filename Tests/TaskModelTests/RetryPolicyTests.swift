import Testing

@testable import TaskModel

@Suite("RetryPolicy")
struct RetryPolicyTests {
    private let coordinate = Coordinate(fingerprint: Fingerprint(high: 7, low: 9))

    @Test("without jitter it is plain exponential backoff up to the maximum") func base() {
        let policy = RetryPolicy(initial: 1000, factor: 3, maximum: 20_000, jitter: 0)
        #expect((1...5).map { policy.delay(afterAttempt: $0, of: coordinate) } == [1000, 3000, 9000, 20_000, 20_000])
        #expect(policy.delay(afterAttempt: 0, of: coordinate) == 1000)
    }

    @Test("a delay is within the jitter of its base, never above the maximum, the base never falls") func bounds() {
        var generate = Generate(seed: 5)
        for _ in 0..<5000 {
            let policy = generate.policy()
            var plain = policy
            plain.jitter = 0
            let coordinate = generate.coordinate()
            let attempt = UInt32(generate.int(1...60))
            let base = plain.delay(afterAttempt: attempt, of: coordinate)
            let delay = policy.delay(afterAttempt: attempt, of: coordinate)
            #expect((0...policy.maximum).contains(delay))
            let spread = Double(base + 1) * policy.jitter + 1
            #expect(abs(Double(delay) - Double(base)) <= spread, "\(policy) attempt \(attempt)")
            #expect(plain.delay(afterAttempt: attempt + 1, of: coordinate) >= base)
            #expect(policy.delay(afterAttempt: attempt, of: coordinate) == delay)
        }
    }

    @Test("turns of one event are spread differently") func spread() {
        let policy = RetryPolicy(initial: 1_000_000, factor: 1, maximum: 2_000_000, jitter: 0.5)
        let delays = (1...50).map { turn in
            policy.delay(afterAttempt: 1, of: Coordinate(fingerprint: coordinate.fingerprint, turn: turn))
        }
        #expect(Set(delays).count > 45)
        #expect(delays.contains { $0 < 1_000_000 } && delays.contains { $0 > 1_000_000 })
    }

    @Test("huge values end at the maximum and never crash") func overflow() {
        for factor in [1, 2, 1e300, .greatestFiniteMagnitude, .infinity, .nan] {
            for jitter in [0, 0.2, 1, 1e300, .nan] {
                for (initial, maximum) in [(0, 0), (0, .max), (1, .max), (.max, .max), (5, 10), (-5, -1)]
                    as [(
                        Int64, Int64
                    )]
                {
                    for attempt in [0, 1, 2, 5, 63, 64, 1000, .max] as [UInt32] {
                        let policy = RetryPolicy(initial: initial, factor: factor, maximum: maximum, jitter: jitter)
                        let delay = policy.delay(afterAttempt: attempt, of: coordinate)
                        #expect(delay >= 0 && delay <= max(0, maximum))
                    }
                }
            }
        }
        let eternal = RetryPolicy(initial: 1, factor: 10, maximum: .max, jitter: 0)
        #expect(eternal.delay(afterAttempt: 400, of: coordinate) == .max)
        let none = RetryPolicy(initial: 0, factor: 10, maximum: .max, jitter: 1)
        #expect(none.delay(afterAttempt: 400, of: coordinate) == 0)
    }

    @Test("each bad value is named") func problems() {
        #expect(RetryPolicy().problems.isEmpty)
        #expect(RetryPolicy.none.problems.isEmpty)
        #expect(RetryPolicy(initial: -1).problems == ["initial must not be negative"])
        #expect(RetryPolicy(factor: 0.5).problems == ["factor must be at least 1"])
        #expect(RetryPolicy(factor: .nan).problems == ["factor must be at least 1"])
        #expect(RetryPolicy(factor: .infinity).problems == ["factor must be at least 1"])
        #expect(RetryPolicy(initial: 10, maximum: 9).problems == ["max must be at least initial"])
        #expect(RetryPolicy(jitter: 1.01).problems == ["jitter must be between 0 and 1"])
        #expect(RetryPolicy(jitter: .nan).problems == ["jitter must be between 0 and 1"])
        #expect(RetryPolicy(maxAttempts: 0).problems == ["max_attempts must be at least 1"])
        #expect(RetryPolicy(maxAge: 0).problems == ["max_age must be positive"])
    }

    @Test("its JSON is read back") func json() throws {
        var generate = Generate(seed: 6)
        for _ in 0..<500 {
            let policy = generate.policy()
            #expect(try CanonicalJSON.decode(RetryPolicy.self, from: CanonicalJSON.encode(policy)) == policy)
        }
        #expect(
            String(decoding: CanonicalJSON.encode(RetryPolicy()), as: UTF8.self)
                == #"{"factor":2,"initial_ms":1000,"jitter":0.2,"max_age_ms":604800000,"max_attempts":5,"max_ms":3600000}"#
        )
    }
}
