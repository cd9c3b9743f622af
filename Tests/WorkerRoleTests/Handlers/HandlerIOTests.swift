import Testing

/// The handler tests that use processes and sockets. One after another, so that a test may count open descriptors.
@Suite(.serialized, .timeLimit(.minutes(2))) enum HandlerIOTests {}
