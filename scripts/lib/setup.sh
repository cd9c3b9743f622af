# shellcheck shell=bash
# Sourced by the scripts beside it: finds Swift, installs the C libraries that are missing, builds.

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Swift comes from its makers or the distribution, never from us.
require_swift() {
    if command -v swift >/dev/null 2>&1; then
        return
    fi
    say "Swift 6.0 or newer is needed, and no swift is on the PATH."
    case "$(uname -s)" in
        Darwin) say "Install Xcode 16 or newer, or the toolchain from https://www.swift.org/install/macos/" ;;
        *)
            say "On Debian 13 or newer:  sudo apt-get install swiftlang"
            say "Elsewhere:              https://www.swift.org/install/linux/"
            ;;
    esac
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        die "this needs root: $*"
    fi
}

# The C libraries: Kafka's client, SQLite, YAML, hash functions, HTTP.
install_libraries() {
    local missing=() pair
    case "$(uname -s)" in
        Darwin)
            command -v brew >/dev/null 2>&1 || die "Homebrew is needed for the C libraries: https://brew.sh"
            for pair in librdkafka libyaml openssl@3 pkgconf; do
                brew list --versions "$pair" >/dev/null 2>&1 || missing+=("$pair")
            done
            if [ ${#missing[@]} -gt 0 ]; then
                say "installing: ${missing[*]}"
                brew install "${missing[@]}"
            fi
            ;;
        *)
            if ! command -v pkg-config >/dev/null 2>&1; then missing+=(pkg-config); fi
            for pair in rdkafka:librdkafka-dev sqlite3:libsqlite3-dev yaml-0.1:libyaml-dev libcrypto:libssl-dev libcurl:libcurl4-openssl-dev; do
                pkg-config --exists "${pair%%:*}" 2>/dev/null || missing+=("${pair##*:}")
            done
            # Swift links through the C compiler's runtime.
            [ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
            compgen -G '/usr/lib/gcc/*/*/libstdc++.*' >/dev/null || missing+=(g++)
            if [ ${#missing[@]} -gt 0 ]; then
                command -v apt-get >/dev/null 2>&1 ||
                    die "please install the development packages of librdkafka, SQLite, libyaml, OpenSSL and libcurl, and pkg-config"
                say "installing: ${missing[*]}"
                as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
                as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
            fi
            ;;
    esac
}

prepare() {
    require_swift
    install_libraries
}
