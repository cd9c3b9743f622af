/// Fires that were wanted against fires that were seen, by nominal time: one missed and one doubled do not make two.
struct FireComparison: Hashable, Sendable {
    private(set) var fired = 0
    private(set) var missed = 0
    private(set) var doubled = 0

    /// Keys are milliseconds. `seen` is what each worker counted.
    init(wanted: [Int64: Int], seen: [[Int64: Int]]) {
        let sum = seen.reduce(into: [Int64: Int]()) { $0.merge($1, uniquingKeysWith: +) }
        for (time, count) in wanted {
            let found = sum[time] ?? 0
            missed += max(0, count - found)
            doubled += max(0, found - count)
        }
        doubled += sum.filter { wanted[$0.key] == nil }.reduce(0) { $0 + $1.value }
        fired = sum.values.reduce(0, +)
    }
}
