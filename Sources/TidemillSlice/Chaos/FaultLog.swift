import Foundation
import TaskModel

/// What was injected, kept for the audit and, as it happens, in a file.
actor FaultLog {
    private(set) var faults: [FaultWindow] = []
    private(set) var underWay: [String] = []
    private let file: FileHandle?

    init(path: String) {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        file = FileHandle(forWritingAtPath: path)
    }

    func begin(_ kind: FaultWindow.Kind, _ name: String) { underWay.append("\(kind.rawValue) \(name)") }

    func end(_ kind: FaultWindow.Kind, _ name: String) {
        if let index = underWay.firstIndex(of: "\(kind.rawValue) \(name)") { underWay.remove(at: index) }
    }

    func add(_ fault: FaultWindow) {
        faults.append(fault)
        file?.write(Data((fault.line + "\n").utf8))
    }
}
