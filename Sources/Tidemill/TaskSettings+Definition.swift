internal import Foundation
internal import Settings
import TaskModel
import WorkerRole

extension TaskSettings {
    /// The task as the worker runs it; nil when its handler is in code.
    func definition(_ name: String) throws -> TaskDefinition? {
        guard let handler = try handler?.made() else { return nil }
        return TaskDefinition(name, queue: queue, timeout: timeout, retry: retry, handler: handler)
    }
}

extension TaskSettings.Handler {
    fileprivate func made() throws -> any TaskHandler {
        switch self {
        case .exec(let exec):
            let answers = exec.exitCodes.map { (Int32($0.key), ExitMapping.Answer($0.value)) }
            return try ExecHandler(
                ExecConfiguration(
                    exec.command, environment: exec.environment.mapValues { $0.reveal() },
                    inherit: exec.inherit.map(Set.init) ?? ExecConfiguration.standardInheritance,
                    directory: exec.directory, exits: ExitMapping(Dictionary(uniqueKeysWithValues: answers)),
                    killAfter: exec.killAfter))
        case .http(let http):
            guard let url = URL(string: http.url) else {
                throw HandlerConfigurationError(["url \"\(http.url)\" is no URL"])
            }
            return try HTTPHandler(
                HTTPConfiguration(
                    url, method: HTTPConfiguration.Method(rawValue: http.method.rawValue) ?? .post,
                    headers: http.headers.mapValues { $0.reveal() }, connections: http.connections))
        }
    }
}

extension ExitMapping.Answer {
    fileprivate init(_ meaning: ExecSettings.ExitMeaning) {
        switch meaning {
        case .done: self = .done
        case .retry: self = .retry
        case .cancel: self = .cancel
        case .fail: self = .fail
        }
    }
}
