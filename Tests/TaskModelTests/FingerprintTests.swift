import Foundation
import Testing

@testable import TaskModel

@Suite("Fingerprint")
struct FingerprintTests {
    @Test("hex and bytes are the same number, both ways")
    func roundTrip() throws {
        var generate = Generate(seed: 1)
        for _ in 0..<1000 {
            let value = generate.fingerprint()
            #expect(Fingerprint(hex: value.hex) == value)
            #expect(Fingerprint(hex: value.hex.uppercased()) == value)
            #expect(Fingerprint(bytes: value.bytes) == value)
            #expect(hex(value.bytes) == value.hex)
            #expect(try CanonicalJSON.decode(Fingerprint.self, from: CanonicalJSON.encode(value)) == value)
        }
        let value = Fingerprint(high: 0x0123_4567_89ab_cdef, low: 0xf)
        #expect(value.description == "0123456789abcdef000000000000000f")
    }

    @Test(
        "what is not 32 hex digits is none",
        arguments: [
            "", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0",
            "0123456789abcdef0123456789abcdeg", "+123456789abcdef0123456789abcdef", "０123456789abcdef0123456789abc",
        ])
    func rejects(_ text: String) {
        #expect(Fingerprint(hex: text) == nil)
        #expect(throws: DecodingError.self) {
            try CanonicalJSON.decode(Fingerprint.self, from: CanonicalJSON.encode(text))
        }
    }

    @Test("only 16 bytes make one") func byteCounts() {
        #expect(Fingerprint(bytes: [UInt8](repeating: 0, count: 15)) == nil)
        #expect(Fingerprint(bytes: [UInt8](repeating: 0, count: 17)) == nil)
    }

    @Test("each byte is a hex digit or is none, wherever it stands") func digits() {
        let value = Fingerprint(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)
        for byte in UInt8.min ... .max {
            let digit = Character(UnicodeScalar(byte)).hexDigitValue
            for position in [0, 15, 16, 31] {
                var text = Array(value.hex.utf8)
                text[position] = byte
                let read = text.withUnsafeBytes { Fingerprint(hex: $0) }
                #expect(read?.hex == digit.map { _ in String(decoding: text, as: UTF8.self).lowercased() })
            }
        }
    }

    @Test("order is that of the hex digits") func order() {
        var generate = Generate(seed: 2)
        for _ in 0..<1000 {
            var left = generate.fingerprint()
            let right = generate.fingerprint()
            if generate.chance(0.5) { left = Fingerprint(high: right.high, low: left.low) }
            #expect((left < right) == (left.hex < right.hex))
        }
    }
}
