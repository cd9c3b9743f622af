import Settings
import TaskModel

/// Readings of arguments that several commands share.
extension ParsedArguments {
    func usage(_ message: String) -> UsageError {
        UsageError(message: message, hint: "Run `tidemill \(path.joined(separator: " ")) --help`.")
    }

    func milliseconds(_ option: String) throws -> Int64? { try duration(option)?.inMilliseconds }

    /// A fingerprint as an argument or option value.
    func fingerprint(_ text: String) throws -> Fingerprint {
        guard let fingerprint = Fingerprint(hex: text) else {
            throw usage("`\(text)` is no fingerprint: 32 hex digits are expected")
        }
        return fingerprint
    }

    func requiredFingerprint() throws -> Fingerprint { try fingerprint(try requiredArgument("fingerprint")) }
}

extension ArgumentSpec {
    static let fingerprint = ArgumentSpec("fingerprint", .text, "32 hex digits, as `tidemill publish` prints them")
    static let schedule = ArgumentSpec("id", .text, "The schedule's id")
}

extension OptionSpec {
    static let reason = OptionSpec.value("reason", .text, "Why, for the journal")
    static let commandTimeout = OptionSpec.value(
        "timeout", .duration, "How long to wait for a scheduler's answer", default: "10s")
}
