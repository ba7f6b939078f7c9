#!/bin/sh
# Installs Debian's pgbouncer for the tests of poolers, where apt is there and may be used; does nothing if it is installed.
set -eu

say() { printf 'pooler: %s\n' "$*" >&2; }

if command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ]; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    say "pgbouncer is not installed; the tests of poolers are skipped. On Debian: apt install pgbouncer"
    exit 0
fi
say "installing pgbouncer"
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends pgbouncer; } >/dev/null 2>&1 </dev/null ||
    say "pgbouncer could not be installed; the tests of poolers are skipped"
