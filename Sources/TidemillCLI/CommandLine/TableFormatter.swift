/// Rows under headings in aligned columns.
///
/// On a terminal the rows are cut to its width, taking from the columns marked as flexible first; in a pipe nothing is
/// ever cut, and no colour is used.
struct TableFormatter: Sendable {
    struct Column: Sendable, Hashable {
        enum Alignment: Sendable { case left, right }

        var title: String
        var alignment: Alignment
        /// Gives way first when the terminal is too narrow.
        var isFlexible: Bool

        init(_ title: String, _ alignment: Alignment = .left, isFlexible: Bool = false) {
            self.title = title
            self.alignment = alignment
            self.isFlexible = isFlexible
        }
    }

    struct Cell: Sendable, Hashable, ExpressibleByStringInterpolation {
        var text: String
        var style: Terminal.Style?

        init(_ text: String, _ style: Terminal.Style? = nil) {
            self.text = text
            self.style = style
        }

        init(stringLiteral text: String) { self.init(text) }
    }

    /// Spaces between columns.
    static let gap = 2
    /// A flexible column keeps at least this many characters.
    static let minimumWidth = 6

    var columns: [Column]
    var rows: [[Cell]] = []

    init(columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row with a cell for each column.
    mutating func add(_ cells: [Cell]) {
        precondition(cells.count == columns.count, "a row needs a cell for each of the \(columns.count) columns")
        rows.append(cells.map { Cell(DisplayText.visible($0.text), $0.style) })
    }

    mutating func add(_ texts: [String]) { add(texts.map { Cell($0) }) }

    /// The lines, each with its line break; headings only if there is a row.
    func render(for terminal: Terminal) -> String {
        guard !rows.isEmpty else { return "" }
        let widths = fittedWidths(to: terminal.width)
        let heading = columns.map { Cell($0.title, .faint) }
        return ([heading] + rows).map { line($0, widths: widths, terminal: terminal) + "\n" }.joined()
    }

    private func line(_ cells: [Cell], widths: [Int], terminal: Terminal) -> String {
        var line = ""
        // Spaces that are due only if something follows, so that no line ends in them.
        var pending = 0
        for (index, cell) in cells.enumerated() {
            let text = DisplayText.truncated(cell.text, to: widths[index])
            let padding = widths[index] - DisplayText.width(text)
            if columns[index].alignment == .right { pending += padding }
            if !text.isEmpty {
                line += String(repeating: " ", count: pending)
                pending = 0
                line += cell.style.map { terminal.styled(text, $0) } ?? text
            }
            if columns[index].alignment == .left || text.isEmpty {
                pending += text.isEmpty && columns[index].alignment == .right ? 0 : padding
            }
            pending += Self.gap
        }
        return line
    }

    private func fittedWidths(to available: Int?) -> [Int] {
        var widths = columns.indices.map { column in
            rows.reduce(DisplayText.width(columns[column].title)) { max($0, DisplayText.width($1[column].text)) }
        }
        guard let available else { return widths }
        var excess = widths.reduce(0, +) + Self.gap * (widths.count - 1) - available
        while excess > 0 {
            let flexible = widths.indices.filter { columns[$0].isFlexible && widths[$0] > Self.minimumWidth }
            guard let widest = flexible.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        if excess > 0, let last = widths.indices.last { widths[last] = max(Self.minimumWidth, widths[last] - excess) }
        return widths
    }
}
