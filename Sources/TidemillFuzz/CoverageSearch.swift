// Only with `scripts/fuzz`, which compiles everything for libFuzzer.
#if FUZZ
    import Foundation

    /// libFuzzer's search. A Swift program has a `main` of its own, so the one in libFuzzer is not linked: this is what
    /// that one calls (LLVM, FuzzerInterface.h).
    enum CoverageSearch {
        static func run() -> CInt {
            var count = CommandLine.argc
            var arguments = CommandLine.unsafeArgv
            return runDriver(&count, &arguments, fuzzOneInput)
        }
    }

    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<CInt>,
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ run: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    /// The variable that names the target: the command line belongs to libFuzzer.
    private let target: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["TIDEMILL_FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
            fatalError("TIDEMILL_FUZZ_TARGET names no target")
        }
        return target
    }()

    @_cdecl("LLVMFuzzerTestOneInput")
    public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        do {
            _ = try target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
        } catch {
            fatalError("\(error)")
        }
        return 0
    }

    /// Before libFuzzer reads its corpus: puts the target's seeds there.
    @_cdecl("LLVMFuzzerInitialize")
    public func fuzzInitialize(_ count: UnsafeRawPointer?, _ arguments: UnsafeRawPointer?) -> CInt {
        guard let folder = ProcessInfo.processInfo.environment["TIDEMILL_FUZZ_CORPUS"] else { return 0 }
        do {
            for (index, bytes) in try target.seeds().enumerated() {
                try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/seed-\(index)"))
            }
        } catch {
            fatalError("\(error)")
        }
        return 0
    }
#endif
