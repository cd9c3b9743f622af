import Foundation

exit(await SliceProgram.run(Array(CommandLine.arguments.dropFirst())))
