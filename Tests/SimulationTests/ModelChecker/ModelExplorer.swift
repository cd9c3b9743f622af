/// Breadth-first search of all worlds that can be reached: the first violation is one with the fewest steps.
struct ModelExplorer {
    struct Counterexample {
        var violation: String
        var steps: [ModelStep]
    }

    enum Result {
        case holds(states: Int, restStates: Int)
        case fails(Counterexample, states: Int)
        /// More states than allowed: nothing is shown.
        case tooLarge(states: Int)
    }

    let rules: ModelRules
    var maximumStates = 2_000_000

    func run() -> Result {
        let first = ModelWorld()
        var worlds = [first]
        var parents: [(state: Int32, step: ModelStep)?] = [nil]
        var seen: Set<ModelWorld> = [first]
        var rests = 0
        var index = 0
        while index < worlds.count {
            guard worlds.count <= maximumStates else { return .tooLarge(states: worlds.count) }
            let world = worlds[index]
            let steps = rules.steps(in: world)
            if !steps.contains(where: { !$0.isOptional }), world[Int(world.born) - 1].life == .working {
                rests += 1
                if let violation = rules.violationAtRest(world) {
                    return .fails(trace(index, nil, violation, parents), states: worlds.count)
                }
            }
            for step in steps {
                let (next, violation) = rules.apply(step, to: world)
                if let violation { return .fails(trace(index, step, violation, parents), states: worlds.count) }
                guard seen.insert(next).inserted else { continue }
                worlds.append(next)
                parents.append((Int32(index), step))
            }
            index += 1
        }
        return .holds(states: worlds.count, restStates: rests)
    }

    private func trace(
        _ state: Int, _ last: ModelStep?, _ violation: String, _ parents: [(state: Int32, step: ModelStep)?]
    ) -> Counterexample {
        var steps = last.map { [$0] } ?? []
        var state = state
        while let parent = parents[state] {
            steps.append(parent.step)
            state = Int(parent.state)
        }
        return Counterexample(violation: violation, steps: steps.reversed())
    }
}
