#!/bin/sh
# Installs Debian's chromium for the tests of pages, where apt is there and may be used; does nothing if it is installed.
# The headless shell is the same browser without windows, and takes a third of the time. Not every release has it.
set -eu

say() { printf 'browser: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
quietly() { DEBIAN_FRONTEND=noninteractive "$@" >/dev/null 2>&1 </dev/null; }
install() { quietly apt-get install -y -qq --no-install-recommends "$1"; }

if has chromium-headless-shell; then exit 0; fi
if ! has apt-get || [ "$(id -u)" -ne 0 ]; then
    has chromium ||
        say "chromium is not installed; the tests that drive a browser are skipped. On Debian: apt install chromium"
    exit 0
fi
if has chromium && ! quietly apt-cache show chromium-headless-shell; then exit 0; fi
say "installing chromium-headless-shell"
if install chromium-headless-shell; then exit 0; fi
quietly apt-get update -qq || true
if install chromium-headless-shell || has chromium; then exit 0; fi
say "installing chromium"
install chromium || say "chromium could not be installed; the tests that drive a browser are skipped"
