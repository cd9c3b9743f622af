/// How a process is, by its parts. It is well when all of them are.
package struct HealthReport: Hashable, Sendable, Encodable {
    package struct Check: Hashable, Sendable, Encodable {
        package var name: String
        package var ok: Bool
        /// What is wrong, or how it is, for people.
        package var detail: String?

        package init(_ name: String, ok: Bool, detail: String? = nil) {
            self.name = name
            self.ok = ok
            self.detail = detail
        }
    }

    package var checks: [Check]

    package init(_ checks: [Check] = []) {
        self.checks = checks
    }

    package var ok: Bool { checks.allSatisfy(\.ok) }

    private enum CodingKeys: String, CodingKey {
        case ok, checks
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(ok, forKey: .ok)
        try container.encode(checks, forKey: .checks)
    }
}
