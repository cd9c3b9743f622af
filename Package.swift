// swift-tools-version: 6.0
import PackageDescription

// Arrows only point down (see Sources/Tidemill/Tidemill.docc/Architecture.md). scripts/test builds with
// `--explicit-target-dependency-import-check error`, so an arrow that is not listed here does not compile.
// Everything outside Swift's own toolchain is a C library that every distribution ships.

let package = Package(
    name: "tidemill",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Tidemill", targets: ["Tidemill"]),
        .executable(name: "tidemill", targets: ["TidemillCLI"]),
    ],
    targets: [
        // 0  C libraries, and what every layer may use
        .systemLibrary(
            name: "CRdKafka", pkgConfig: "rdkafka",
            providers: [.apt(["librdkafka-dev"]), .brew(["librdkafka"])]),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .systemLibrary(
            name: "CYaml", pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(
            name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "TaskTelemetry"),
        .target(name: "RecordFormat"),
        .target(name: "Containers"),

        // 1
        .target(name: "TaskModel", dependencies: ["CCrypto", "RecordFormat"]),
        .target(name: "KafkaClient", dependencies: ["CRdKafka", "Containers", "RecordFormat", "TaskTelemetry"]),

        // 2
        .target(name: "ServiceRuntime", dependencies: ["TaskModel", "TaskTelemetry"]),
        .target(name: "TaskLog", dependencies: ["TaskModel"]),

        // 3
        .target(
            name: "TaskLogSQLite",
            dependencies: ["TaskLog", "TaskModel", "ServiceRuntime", "TaskTelemetry", "CSQLite"]),
        .target(
            name: "TaskLogKafka",
            dependencies: ["TaskLog", "TaskModel", "TaskTelemetry", "KafkaClient"]),
        .target(
            name: "SchedulerRole",
            dependencies: ["Containers", "TaskLog", "TaskModel", "ServiceRuntime", "TaskTelemetry"]),
        .target(
            name: "WorkerRole",
            dependencies: ["Containers", "TaskLog", "TaskModel", "ServiceRuntime", "TaskTelemetry", "CCurl"]),
        .target(
            name: "TaskClient",
            dependencies: ["TaskLog", "TaskModel", "ServiceRuntime"]),

        // 4
        .target(
            name: "TaskServer",
            dependencies: ["TaskModel", "ServiceRuntime", "TaskTelemetry"]),

        // 5
        .target(
            name: "Settings",
            dependencies: ["TaskModel", "TaskLog", "TaskTelemetry", "CYaml"]),
        .target(
            name: "Tidemill",
            dependencies: [
                "TaskModel", "TaskLog", "TaskLogSQLite", "TaskLogKafka", "KafkaClient", "SchedulerRole", "WorkerRole",
                "TaskClient", "TaskServer", "Settings", "ServiceRuntime", "TaskTelemetry",
            ]),

        // 6
        .executableTarget(
            name: "TidemillCLI",
            dependencies: [
                "Tidemill", "TaskModel", "TaskLog", "WorkerRole", "TaskClient", "Settings", "ServiceRuntime",
                "TaskTelemetry",
            ]),

        // What runs of several processes share
        .target(
            name: "TidemillHarness",
            dependencies: ["Tidemill", "TaskModel", "Settings", "ServiceRuntime", "TaskTelemetry"]),

        // The proof: real processes, killed on the way, then an audit of what they left in the log.
        .executableTarget(
            name: "TidemillSlice",
            dependencies: [
                "TidemillHarness", "Tidemill", "TaskModel", "TaskLog", "WorkerRole", "TaskClient", "Settings",
                "ServiceRuntime", "TaskTelemetry",
            ]),

        // The measurement, beside the floor: the bare C libraries doing the least that the same work needs.
        .target(name: "CRawFloor", dependencies: ["CRdKafka", "CSQLite"]),
        .executableTarget(
            name: "TidemillBench",
            dependencies: [
                "CRawFloor", "TidemillHarness", "Tidemill", "TaskModel", "TaskLog", "WorkerRole", "TaskClient",
                "Settings", "ServiceRuntime", "TaskTelemetry",
            ]),

        // Every reader against bytes that nobody meant: seeded mutations, or libFuzzer (scripts/fuzz).
        .executableTarget(name: "TidemillFuzz", dependencies: ["Settings", "TaskModel"]),

        // Tests
        .target(
            name: "TaskTestKit",
            dependencies: ["TaskLog", "TaskModel", "ServiceRuntime"],
            path: "Tests/TaskTestKit"),
        .testTarget(name: "ContainersTests", dependencies: ["Containers", "TaskModel"]),
        .testTarget(
            name: "TaskModelTests", dependencies: ["TaskModel", "RecordFormat"], exclude: ["Vectors"]),
        .testTarget(
            name: "ServiceRuntimeTests",
            dependencies: ["ServiceRuntime", "TaskModel", "TaskTelemetry", "TaskTestKit"]),
        .testTarget(name: "TaskTelemetryTests", dependencies: ["TaskTelemetry"]),
        .testTarget(name: "TaskLogTests", dependencies: ["TaskLog", "TaskModel", "TaskTestKit"]),
        .testTarget(
            name: "TaskLogSQLiteTests",
            dependencies: [
                "TaskLogSQLite", "TaskLog", "TaskModel", "TaskTestKit", "CSQLite", "ServiceRuntime", "TaskTelemetry",
            ]),
        .testTarget(
            name: "TaskLogKafkaTests",
            dependencies: [
                "TaskLogKafka", "KafkaClient", "RecordFormat", "TaskLog", "TaskModel", "TaskTestKit", "TaskTelemetry",
            ]),
        .testTarget(
            name: "SchedulerRoleTests",
            dependencies: [
                "SchedulerRole", "TaskLog", "TaskModel", "TaskTestKit", "ServiceRuntime", "TaskTelemetry",
            ]),
        .testTarget(
            name: "WorkerRoleTests",
            dependencies: [
                "WorkerRole", "TaskLog", "TaskModel", "TaskTestKit", "ServiceRuntime", "TaskTelemetry",
            ]),
        .testTarget(
            name: "TaskClientTests",
            dependencies: ["TaskClient", "TaskLog", "TaskModel", "TaskTestKit", "ServiceRuntime"]),
        .testTarget(
            name: "TaskServerTests",
            dependencies: ["TaskServer", "TaskTelemetry"]),
        .testTarget(
            name: "SettingsTests", dependencies: ["Settings", "TaskModel"]),
        .testTarget(
            name: "TidemillCLITests",
            dependencies: ["TidemillCLI", "TaskModel", "TaskLog", "TaskClient", "Settings", "TaskTestKit"]),
        .testTarget(name: "TidemillSliceTests", dependencies: ["TidemillSlice", "TaskModel"]),
        .testTarget(name: "TidemillFuzzTests", dependencies: ["TidemillFuzz", "TaskModel"]),
        .testTarget(name: "TidemillBenchTests", dependencies: ["TidemillBench", "TaskLog", "TaskModel"]),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["WorkerRole", "SchedulerRole", "TaskLog", "TaskModel", "TaskTelemetry"]),
    ],
    swiftLanguageModes: [.v6]
)
