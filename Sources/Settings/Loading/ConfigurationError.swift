/// Where a value was written.
package enum SourceLocation: Hashable, Sendable, CustomStringConvertible {
    /// Lines and columns count from 1.
    case file(String, line: Int, column: Int)
    case environment(variable: String)
    /// The value is not written anywhere.
    case defaults

    package var description: String {
        switch self {
        case .file(let name, let line, let column): "\(name):\(line):\(column)"
        case .environment(let variable): "environment variable \(variable)"
        case .defaults: "defaults"
        }
    }
}

/// One thing that is wrong with a configuration.
package struct ConfigurationIssue: Hashable, Sendable, CustomStringConvertible {
    package var location: SourceLocation
    /// The keys that lead to it, joined by dots; empty for the file as a whole.
    package var path: String
    /// What is wrong and what is accepted. Never holds a secret.
    package var message: String

    package init(_ location: SourceLocation, _ path: String, _ message: String) {
        self.location = location
        self.path = path
        self.message = message
    }

    /// `tidemill.yaml:4:16: worker.concurrency: …`, the form that editors and terminals make a link of.
    package var description: String {
        path.isEmpty ? "\(location): \(message)" : "\(location): \(path): \(message)"
    }
}

/// A configuration cannot be used; everything that is wrong with it, in the order of the file.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package var issues: [ConfigurationIssue]

    package init(_ issues: [ConfigurationIssue]) {
        self.issues = issues
    }

    /// One line for each.
    package var description: String { issues.map(\.description).joined(separator: "\n") }
}
