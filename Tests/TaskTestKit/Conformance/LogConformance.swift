/// One promise of the port, checked on any engine.
package struct ConformanceCase: Sendable, CustomStringConvertible {
    package var name: String
    /// A case whose needs are not met is reported as skipped, by name.
    package var requires: Set<EngineCapability>
    package var run: @Sendable (EngineUnderTest) async throws -> Void

    package init(
        _ name: String, requires: Set<EngineCapability> = [],
        run: @escaping @Sendable (EngineUnderTest) async throws -> Void
    ) {
        self.name = name
        self.requires = requires
        self.run = run
    }

    package var description: String { name }

    /// The name as part of a topic's name.
    package var slug: String {
        String(name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
    }
}

/// The promises of ``TaskLog`` as cases. An engine's own test file makes an ``EngineUnderTest`` and runs them all:
///
///     @Test(arguments: LogConformance.cases)
///     func conforms(to promise: ConformanceCase) async throws {
///         try await LogConformance.run(promise, on: makeEngine(prefix: promise.slug))
///     }
package enum LogConformance {
    package static let cases: [ConformanceCase] =
        appendCases + contentCases + readCases + upkeepCases + commitCases + membershipCases + deliveryCases
        + followerCases + closeCases

    /// Runs one case within the engine's patience and reports it; throws what the case found wrong.
    package static func run(_ promise: ConformanceCase, on engine: EngineUnderTest) async throws {
        let missing = promise.requires.subtracting(engine.capabilities).sorted { $0.rawValue < $1.rawValue }
        guard missing.isEmpty else {
            let reasons = missing.map { engine.missing[$0] ?? "the engine has no \($0.rawValue)" }
            SkipReport.skip(engine: engine.name, case: promise.name, reason: reasons.joined(separator: "; "))
            await engine.tearDown()
            return
        }
        do {
            try await withTimeout(seconds: engine.patienceSeconds, "\(engine.name): \(promise.name)") {
                try await promise.run(engine)
            }
        } catch {
            await engine.tearDown()
            ConformanceReport.note(.failed, engine: engine.name)
            throw error
        }
        await engine.tearDown()
        ConformanceReport.note(.passed, engine: engine.name)
    }
}
