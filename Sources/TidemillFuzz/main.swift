import Foundation

#if FUZZ
    exit(CoverageSearch.run())
#else
    exit(FuzzProgram.run(Array(CommandLine.arguments.dropFirst())))
#endif
