@testable import TidemillSlice

/// What the auditor means by the word; the model has one of its own.
typealias Emission = TidemillSlice.Emission
