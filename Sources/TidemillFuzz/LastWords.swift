#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Says which input was under way when a reader stops the process (a trap, a wild access, an endless recursion or loop).
enum LastWords {
    private static let capacity = 256
    /// Made before any signal can come; a handler may only read.
    nonisolated(unsafe) private static let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    nonisolated(unsafe) private static var length = 0
    /// Without a listener the end of the time would stop the process without a word.
    nonisolated(unsafe) private static var isListening = false

    /// Seconds of processor time after which one input counts as a hang.
    static let limit = 20

    /// From now on; on a stack of its own, for the usual one may be what ran out.
    static func listen() {
        isListening = true
        set("")
        let size = 64 << 10
        var stack = stack_t()
        stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        stack.ss_size = size
        sigaltstack(&stack, nil)
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGVTALRM] {
            var action = sigaction()
            #if canImport(Darwin)
                action.__sigaction_u.__sa_handler = handler
            #else
                action.__sigaction_handler.sa_handler = handler
            #endif
            action.sa_flags = Int32(SA_ONSTACK) | Int32(bitPattern: UInt32(SA_RESETHAND))
            sigaction(number, &action, nil)
        }
    }

    private static let handler: @convention(c) (Int32) -> Void = { number in
        _ = write(STDERR_FILENO, buffer, length)
        if number == SIGVTALRM { _exit(1) }
        raise(number)
    }

    /// What to say, and a new measure of time.
    static func set(_ text: String) {
        length = 0
        for byte in text.utf8.prefix(capacity) {
            buffer[length] = byte
            length += 1
        }
        guard isListening else { return }
        var timer = itimerval()
        timer.it_value.tv_sec = limit
        #if canImport(Glibc)
            setitimer(__itimer_which_t(ITIMER_VIRTUAL.rawValue), &timer, nil)
        #else
            setitimer(ITIMER_VIRTUAL, &timer, nil)
        #endif
    }
}
