#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What an output stream is, as a value, so that everything that formats text can be tested without a terminal.
struct Terminal: Sendable, Hashable {
    /// Roles that a piece of text plays; each has one look.
    enum Style: String, Sendable {
        case bold = "1"
        case faint = "2"
        case good = "32"
        case warning = "33"
        case bad = "31"
    }

    /// A person looks at it.
    var isInteractive: Bool
    /// Columns; nil when it is not a terminal: such text is never cut.
    var width: Int?
    /// Interactive, and neither `NO_COLOR` nor `TERM=dumb` speaks against it.
    var usesColor: Bool

    /// A file or pipe.
    static let plain = Terminal(isInteractive: false, width: nil, usesColor: false)

    static func standardOutput(environment: [String: String]) -> Terminal {
        detect(descriptor: STDOUT_FILENO, environment: environment)
    }

    static func standardError(environment: [String: String]) -> Terminal {
        detect(descriptor: STDERR_FILENO, environment: environment)
    }

    /// `text` in `style`, where the stream shows colour.
    func styled(_ text: String, _ style: Style) -> String {
        usesColor && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    private static func detect(descriptor: Int32, environment: [String: String]) -> Terminal {
        guard isatty(descriptor) == 1 else { return .plain }
        var size = winsize()
        let hasSize = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return Terminal(
            isInteractive: true,
            width: hasSize ? Int(size.ws_col) : environment["COLUMNS"].flatMap { Int($0) } ?? 80,
            usesColor: environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb")
    }
}
