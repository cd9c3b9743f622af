import Settings
import Testing

struct DurationTextTests {
    @Test(arguments: [
        ("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("1h30m", 5_400_000), ("2d", 172_800_000),
        ("1w", 604_800_000), ("1d2h3m4s5ms", 93_784_005), ("0s", 0), ("0", 0),
    ])
    func reads(text: String, milliseconds: Int64) throws {
        #expect(try DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        ("10", "did you mean 10s?"), ("", "is empty"), ("1.5h", "is not a duration"), ("h", "is not a duration"),
        ("-5s", "is not a duration"), ("1m1h", "larger units first"), ("1h1h", "larger units first"),
        ("5 m", "is not a duration"), ("9223372036854775807d", "too long"), ("99999999999999999999s", "too long"),
        ("5M", "is not a duration"),
    ])
    func refuses(text: String, reason: String) {
        do throws(TextError) {
            _ = try DurationText.parse(text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.description.contains(reason))
        }
    }

    @Test(arguments: ["500ms", "10s", "5m", "1h30m", "2d", "1d2h3m4s5ms", "0s"])
    func formatsWhatItReads(text: String) throws {
        #expect(DurationText.format(try DurationText.parse(text)) == text)
    }
}

struct ByteSizeTextTests {
    @Test(arguments: [
        ("512", 512), ("512B", 512), ("256KiB", 262_144), ("1MiB", 1_048_576), ("2GB", 2_000_000_000), ("1kib", 1024),
    ])
    func reads(text: String, bytes: Int) throws {
        #expect(try ByteSizeText.parse(text) == bytes)
    }

    @Test(arguments: ["", "MiB", "1.5MiB", "-1", "1XB", "99999999999999999999"])
    func refuses(text: String) {
        #expect(throws: TextError.self) { try ByteSizeText.parse(text) }
    }

    @Test func formats() {
        #expect(ByteSizeText.format(1_048_576) == "1MiB")
        #expect(ByteSizeText.format(1500) == "1500B")
        #expect(ByteSizeText.format(0) == "0B")
    }
}

struct SuggestionTests {
    private let words = ["log", "worker", "scheduler", "schedules", "observability", "max_attempts", "paused"]

    @Test(arguments: [
        ("wroker", "worker"), ("obsrvability", "observability"), ("schedule", "scheduler"),
        ("max-attempts", "max_attempts"),
        ("Log", "log"), ("pause", "paused"), ("obs", "observability"),
    ])
    func findsTheWord(typed: String, meant: String) {
        #expect(Suggestion.closest(to: typed, among: words) == meant)
    }

    @Test(arguments: ["zebra", "", "x", "retry"])
    func staysSilent(typed: String) {
        #expect(Suggestion.closest(to: typed, among: words) == nil)
    }
}
