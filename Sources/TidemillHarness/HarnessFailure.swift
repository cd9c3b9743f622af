/// Why a run of several processes cannot go on.
package struct HarnessFailure: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
