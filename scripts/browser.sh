#!/bin/sh
# Installs Debian's chromium for the tests of pages, where apt is there and may be used; does nothing if it is installed.
# The headless shell is the same browser without windows: it takes a third less time. Not every release has it.
set -eu

say() { printf 'browser: %s\n' "$*" >&2; }

if command -v chromium-headless-shell >/dev/null 2>&1; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    command -v chromium >/dev/null 2>&1 ||
        say "chromium is not installed; the tests that drive a browser are skipped. On Debian: apt install chromium"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1 </dev/null; }
say "installing chromium-headless-shell"
apt-get update -qq >/dev/null 2>&1 </dev/null || true
if install chromium-headless-shell || command -v chromium >/dev/null 2>&1; then exit 0; fi
say "installing chromium"
install chromium || say "chromium could not be installed; the tests that drive a browser are skipped"
