// TaskTestKit
