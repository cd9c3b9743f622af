package import TaskModel

/// What a task has that says nothing else.
package struct TaskDefaults: Hashable, Sendable {
    /// Of one attempt.
    package var timeout: Int64 = 3_600_000
    package var retry = RetryPolicy()

    package init() {}
}

/// A task as the configuration describes it, defaults filled in.
package struct TaskSettings: Hashable, Sendable {
    package enum Handler: Hashable, Sendable {
        case exec(ExecSettings)
        case http(HTTPSettings)
    }

    package var queue: String
    package var timeout: Int64
    package var retry: RetryPolicy
    /// Nil: a handler in code, for which these are the options.
    package var handler: Handler?

    package init(queue: String, timeout: Int64, retry: RetryPolicy, handler: Handler?) {
        self.queue = queue
        self.timeout = timeout
        self.retry = retry
        self.handler = handler
    }
}

/// A program to run.
package struct ExecSettings: Hashable, Sendable {
    /// What an exit status other than 0 can be told to mean.
    package enum ExitMeaning: String, Hashable, Sendable, CaseIterable {
        case done, retry, cancel, fail
    }

    /// The program and its arguments; no shell reads them.
    package var command: [String]
    package var directory: String?
    package var environment: [String: Secret]
    /// Names to take over from the worker's environment; nil: the handler's own list.
    package var inherit: [String]?
    /// By exit status, 1 to 255; those that are not listed keep their usual meaning.
    package var exitCodes: [Int: ExitMeaning]
    /// From SIGTERM to SIGKILL.
    package var killAfter: Int64

    package init(
        command: [String], directory: String? = nil, environment: [String: Secret] = [:], inherit: [String]? = nil,
        exitCodes: [Int: ExitMeaning] = [:], killAfter: Int64 = 10_000
    ) {
        self.command = command
        self.directory = directory
        self.environment = environment
        self.inherit = inherit
        self.exitCodes = exitCodes
        self.killAfter = killAfter
    }
}

/// A service to call.
package struct HTTPSettings: Hashable, Sendable {
    package enum Method: String, Hashable, Sendable, CaseIterable {
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
    }

    package var url: String
    package var method: Method
    package var headers: [String: Secret]
    /// Open at once.
    package var connections: Int

    package init(url: String, method: Method = .post, headers: [String: Secret] = [:], connections: Int = 64) {
        self.url = url
        self.method = method
        self.headers = headers
        self.connections = connections
    }
}
