/// "Did you mean": the known word that a mistyped one most likely stood for.
package enum Suggestion {
    /// The nearest of `candidates` by edits (a swap of neighbours counts as one), if it is near enough to be a typing
    /// mistake: at most a third of the word, or the word is a prefix of it.
    package static func closest(to word: String, among candidates: some Sequence<String>) -> String? {
        let typed = Array(normalized(word))
        guard !typed.isEmpty else { return nil }
        let allowed = max(1, typed.count / 3)
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let known = Array(normalized(candidate))
            let isPrefix = typed.count >= 3 && known.starts(with: typed)
            let distance = isPrefix ? 1 : edits(typed, known)
            guard distance <= allowed, distance < best?.distance ?? .max else { continue }
            best = (candidate, distance)
        }
        return best?.word
    }

    /// Case and the choice between `-` and `_` do not make two words different.
    private static func normalized(_ word: String) -> String {
        String(word.lowercased().map { $0 == "-" ? "_" : $0 })
    }

    /// Damerau's distance with adjacent transpositions (optimal string alignment).
    private static func edits(_ left: [Character], _ right: [Character]) -> Int {
        var beforePrevious = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for (column, other) in right.enumerated() {
                var cost = min(
                    previous[column] + (character == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
                let isSwap =
                    row > 0 && column > 0 && character == right[column - 1] && left[row - 1] == other
                if isSwap { cost = min(cost, beforePrevious[column - 1] + 1) }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
