import Testing

@Suite("Model checker")
struct ModelCheckerTests {
    private func explore(_ variant: ModelWorld.Variant, _ bounds: ModelWorld.Bounds) -> ModelExplorer.Result {
        ModelExplorer(rules: ModelRules(variant: variant, bounds: bounds, ledger: ModelLedger())).run()
    }

    @Test(
        "decide, then do: no interleaving loses or doubles anything",
        arguments: [
            ModelWorld.Bounds(takeovers: 1, zombies: 1, schedulerCrashes: 1, hasFatal: true, acknowledgesApart: true),
            ModelWorld.Bounds(takeovers: 2, zombies: 0, schedulerCrashes: 1, hasFatal: true, acknowledgesApart: true),
            ModelWorld.Bounds(takeovers: 2, zombies: 1, schedulerCrashes: 0, hasFatal: false, acknowledgesApart: false),
        ])
    func holds(_ bounds: ModelWorld.Bounds) {
        switch explore(.decideThenDo, bounds) {
        case .holds(let states, let rests):
            print("model checker: \(states) states, 0 violations, \(rests) of them at rest: \(bounds)")
            #expect(rests > 0)
        case .fails(let counterexample, _): Issue.record("\(text(counterexample))")
        case .tooLarge(let states): Issue.record("more than \(states) states")
        }
    }

    @Test(
        "each wrong variant is caught",
        arguments: ModelWorld.Variant.wrong)
    func catches(_ variant: ModelWorld.Variant) {
        switch explore(
            variant,
            ModelWorld.Bounds(takeovers: 1, zombies: 1, schedulerCrashes: 0, hasFatal: false, acknowledgesApart: true))
        {
        case .fails(let counterexample, let states):
            print("model checker: \"\(variant.rawValue)\" is caught within \(states) states\n\(text(counterexample))")
            #expect(counterexample.violation.contains(variant.expectedViolation))
        case .holds, .tooLarge: Issue.record("\"\(variant.rawValue)\" was not caught")
        }
    }

    private func text(_ counterexample: ModelExplorer.Counterexample) -> String {
        let steps = counterexample.steps.enumerated().map { "  \($0 + 1). \($1)" }
        return (steps + ["  => " + counterexample.violation]).joined(separator: "\n")
    }
}

extension ModelWorld.Variant {
    /// What goes wrong with it first.
    fileprivate var expectedViolation: String {
        switch self {
        case .decideThenDo: "nothing"
        case .effectBeforeDecision, .answersOnlyLaterCompletions: "completed, and an open dead letter"
        case .skipsDecidedHoles: "lost"
        case .runsBesideItself: "two turns"
        }
    }
}
