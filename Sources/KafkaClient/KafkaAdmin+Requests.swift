internal import CRdKafka

extension KafkaAdmin {
    package struct NewTopic: Sendable {
        package var name: String
        package var partitions: Int32
        package var replication: Int16
        package var settings: [String: String]

        package init(name: String, partitions: Int32, replication: Int16, settings: [String: String]) {
            self.name = name
            self.partitions = partitions
            self.replication = replication
            self.settings = settings
        }
    }

    /// Creates topics; returns what went wrong, by name (`topicExists` among it).
    package func createTopics(_ topics: [NewTopic]) throws -> [String: KafkaError] {
        guard !topics.isEmpty else { return [:] }
        var reason = [CChar](repeating: 0, count: 256)
        var requests: [OpaquePointer?] = []
        defer { for request in requests { rd_kafka_NewTopic_destroy(request) } }
        for topic in topics {
            guard
                let request = rd_kafka_NewTopic_new(
                    topic.name, topic.partitions, Int32(topic.replication), &reason, reason.count)
            else { throw KafkaError(.invalidArgument, "topic \(topic.name): \(text(of: reason))") }
            requests.append(request)
            for (name, value) in topic.settings { rd_kafka_NewTopic_set_config(request, name, value) }
        }
        return try request(RD_KAFKA_ADMIN_OP_CREATETOPICS) { options, queue in
            rd_kafka_CreateTopics(handle.client, &requests, requests.count, options, queue)
        } _: { event in
            var count = 0
            guard let results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
            else { return [:] }
            var errors: [String: KafkaError] = [:]
            for result in UnsafeBufferPointer(start: results, count: count) {
                let code = rd_kafka_topic_result_error(result)
                guard code != RD_KAFKA_RESP_ERR_NO_ERROR, let name = rd_kafka_topic_result_name(result) else {
                    continue
                }
                let message = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
                errors[String(cString: name)] = KafkaError(code, message)
            }
            return errors
        }
    }

    /// All settings of these topics, as any broker sees them, or this one.
    package func settings(ofTopics names: [String], askedOf broker: Int32? = nil) throws -> [String: [String: String]] {
        guard !names.isEmpty else { return [:] }
        var resources: [OpaquePointer?] = names.map { rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
        defer { for resource in resources { rd_kafka_ConfigResource_destroy(resource) } }
        return try request(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) { options, queue in
            if let broker {
                var reason = [CChar](repeating: 0, count: 256)
                rd_kafka_AdminOptions_set_broker(options, broker, &reason, reason.count)
            }
            rd_kafka_DescribeConfigs(handle.client, &resources, resources.count, options, queue)
        } _: { event in
            var count = 0
            let result = rd_kafka_event_DescribeConfigs_result(event)
            guard let found = rd_kafka_DescribeConfigs_result_resources(result, &count) else { return [:] }
            var settings: [String: [String: String]] = [:]
            for resource in UnsafeBufferPointer(start: found, count: count) {
                let code = rd_kafka_ConfigResource_error(resource)
                guard let name = rd_kafka_ConfigResource_name(resource).map({ String(cString: $0) }) else { continue }
                try KafkaError.check(code, "describe topic \(name)")
                settings[name] = entries(of: resource)
            }
            return settings
        }
    }

    private func entries(of resource: OpaquePointer?) -> [String: String] {
        var count = 0
        guard let entries = rd_kafka_ConfigResource_configs(resource, &count) else { return [:] }
        var settings: [String: String] = [:]
        for entry in UnsafeBufferPointer(start: entries, count: count) {
            guard let name = rd_kafka_ConfigEntry_name(entry), let value = rd_kafka_ConfigEntry_value(entry) else {
                continue
            }
            settings[String(cString: name)] = String(cString: value)
        }
        return settings
    }

    /// Deletes records below these offsets.
    package func deleteRecords(before offsets: [KafkaPartition: Int64]) throws {
        let list = PartitionList(offsets: offsets)
        var requests: [OpaquePointer?] = [rd_kafka_DeleteRecords_new(list.pointer)]
        defer { rd_kafka_DeleteRecords_destroy(requests[0]) }
        try request(RD_KAFKA_ADMIN_OP_DELETERECORDS) { options, queue in
            rd_kafka_DeleteRecords(handle.client, &requests, 1, options, queue)
        } _: { event in
            let result = rd_kafka_event_DeleteRecords_result(event)
            let errors = (rd_kafka_DeleteRecords_result_offsets(result)?.entries ?? []).compactMap(\.error)
            lookAgain(after: errors)
            if let error = errors.first { throw error }
        }
    }
}
