/// librdkafka properties by their own names, passed through as they are (`bootstrap.servers`, `sasl.mechanism`, …).
///
/// Printing one never shows a secret.
package struct KafkaConfiguration: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package var properties: [String: String]

    package init(_ properties: [String: String]) {
        self.properties = properties
    }

    /// A copy where what is not set yet has these values.
    package func withDefaults(_ defaults: [String: String]) -> KafkaConfiguration {
        KafkaConfiguration(properties.merging(defaults) { mine, _ in mine })
    }

    /// A copy where these values hold, whatever was set: correctness rests on them.
    package func requiring(_ required: [String: String]) -> KafkaConfiguration {
        KafkaConfiguration(properties.merging(required) { _, theirs in theirs })
    }

    package var description: String {
        properties.sorted { $0.key < $1.key }.map { name, value in
            "\(name)=\(Self.isSecret(name) ? "(hidden)" : value)"
        }.joined(separator: " ")
    }

    package var debugDescription: String { description }

    /// `dump` and interpolation of an enclosing value go through the mirror, so that too hides secrets.
    package var customMirror: Mirror { Mirror(self, children: ["properties": description]) }

    /// Whether the value of this property must never be shown.
    package static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        let isNamedSecret = ["password", "secret", "oauthbearer", "private", "token", "jaas"].contains {
            name.contains($0)
        }
        return isNamedSecret || secretNames.contains(name)
    }

    private static let secretNames: Set<String> = ["ssl.key.pem", "ssl_key", "ssl.keystore.pem"]
}
