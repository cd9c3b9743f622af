internal import CCurl

/// One transfer of libcurl: its handle, what the handle points to, and the callbacks that feed the exchange. All on the
/// thread of the loop that owns it.
final class CurlTransfer {
    let exchange: HTTPExchange
    let handle: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var head = HTTPHeadReader()

    /// nil when there is no memory.
    init?(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.exchange = exchange
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        for (name, value) in request.headers {
            // With a colon and nothing after it, libcurl would leave the header out.
            headers = curl_slist_append(headers, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        // Else a large body waits for a second for the server's consent.
        headers = curl_slist_append(headers, "Expect:")
        configure(request)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    /// What libcurl says of a transfer that failed.
    func error(_ code: CURLcode) -> HTTPConnectionError {
        let detail = String(cString: errorText)
        return HTTPConnectionError(
            code: code.rawValue, message: detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail)
    }

    private func configure(_ request: HTTPRequest) {
        ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
        ccurl_set_pointer(handle, CURLOPT_URL, request.url)
        ccurl_set_pointer(handle, CURLOPT_HTTPHEADER, headers)
        ccurl_set_long(handle, CURLOPT_POST, 1)
        ccurl_set_pointer(handle, CURLOPT_CUSTOMREQUEST, request.method)
        ccurl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
        request.body.withUnsafeBytes { bytes in
            // A null pointer would mean a body to be asked for.
            _ = ccurl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(errorText))
        }
        // Signals are of the process, and this is a library in it.
        ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        ccurl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        ccurl_set_long(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        ccurl_set_callback(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            CurlTransfer.from(context).receive(line: UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        ccurl_set_callback(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            let chunk = UnsafeRawBufferPointer(start: bytes, count: size * count)
            // Any count but that of the chunk ends the transfer; zero could be the chunk's.
            return CurlTransfer.from(context).exchange.receive(chunk) ? chunk.count : Int.max
        }
    }

    private func receive(line: UnsafeRawBufferPointer) {
        if let reply = head.read(line: line) { exchange.receive(head: reply) }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlTransfer {
        Unmanaged.fromOpaque(context!).takeUnretainedValue()
    }
}
