#!/bin/sh
# Installs Debian's chromium for the tests of pages, where apt is there and may be used; does nothing if it is installed.
set -eu

say() { printf 'browser: %s\n' "$*" >&2; }

if command -v chromium >/dev/null 2>&1; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    say "chromium is not installed; the tests that drive a browser are skipped. On Debian: apt install chromium"
    exit 0
fi
say "installing chromium"
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 </dev/null ||
    say "chromium could not be installed; the tests that drive a browser are skipped"
