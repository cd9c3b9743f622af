/// How far a long command has come: a bar that is redrawn on a terminal, a line every few seconds elsewhere.
///
/// A value: `update` takes the time and returns what to write to stderr, so that the caller owns clock and stream.
struct ProgressBar: Sendable {
    /// Between two drawings on a terminal, in milliseconds.
    static let redrawInterval: Int64 = 100
    /// Between two lines elsewhere, in milliseconds.
    static let lineInterval: Int64 = 5000

    let label: String
    /// Nil when the end is not known: then only the count is shown.
    let total: Int?
    let terminal: Terminal
    private let start: Int64
    private var lastOutput: Int64?

    /// `uptime` in milliseconds, of the same clock as in `update`.
    init(label: String, total: Int?, terminal: Terminal, uptime: Int64) {
        self.label = label
        self.total = total
        self.terminal = terminal
        start = uptime
    }

    /// What to write now, if anything.
    mutating func update(done: Int, uptime: Int64) -> String? {
        let interval = terminal.isInteractive ? Self.redrawInterval : Self.lineInterval
        guard uptime - (lastOutput ?? (terminal.isInteractive ? uptime - interval : start)) >= interval else {
            return nil
        }
        lastOutput = uptime
        return terminal.isInteractive ? redraw(done, uptime) : text(done, uptime) + "\n"
    }

    /// The last state, for good: always written on a terminal, elsewhere as one line.
    func finish(done: Int, uptime: Int64) -> String {
        (terminal.isInteractive ? redraw(done, uptime) : text(done, uptime)) + "\n"
    }

    private func redraw(_ done: Int, _ uptime: Int64) -> String {
        let text = text(done, uptime)
        let width = terminal.width ?? 80
        let room = min(40, width - DisplayText.width(text) - 4)
        guard let total, total > 0, room >= 10 else {
            return "\r" + DisplayText.truncated(text, to: width - 1) + "\u{1B}[K"
        }
        let filled = room * min(done, total) / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
        return "\r\(bar) \(text)\u{1B}[K"
    }

    private func text(_ done: Int, _ uptime: Int64) -> String {
        let elapsed = max(0, uptime - start)
        let rate = elapsed > 0 ? done * 1000 / Int(elapsed) : 0
        let count =
            if let total, total > 0 {
                "\(done)/\(total) (\(min(done, total) * 100 / total) %)"
            } else {
                "\(done)"
            }
        return "\(label) \(count)" + (rate > 0 ? ", \(rate)/s" : "")
    }
}
