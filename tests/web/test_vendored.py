"""The scripts that come from others: their digests, their licences, and the size of all scripts together."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "web" / "static"
EDITOR = ROOT / "scripts" / "editor"
MOST_BYTES = 170_000
DIGESTS = {
    "codemirror-6.min.js": "1ddf5d4c20a0ff9704717b639968aa8fa15902fd7c6aeb97df204fe5aab9e690",
    "codemirror.LICENSE": "214e1d63b068de3e4ff8cd3849d377c79e886ffb03a2e8e4b200a9afa31804b9",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_a_vendored_file_is_what_the_build_wrote(name: str) -> None:
    found = hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest()
    assert found == DIGESTS[name]


def test_all_scripts_together_are_small() -> None:
    scripts = list(STATIC.rglob("*.js"))
    assert len(scripts) >= 5
    assert sum(len(gzip.compress(script.read_bytes(), 9)) for script in scripts) <= MOST_BYTES


def test_the_lock_pins_every_package_by_digest_and_names_no_registry() -> None:
    text = (EDITOR / "package-lock.json").read_text()
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert "://" not in text
    assert [name for name, each in packages.items() if "integrity" not in each] == []


def test_every_bundled_package_has_its_licence_in_the_tree() -> None:
    packages = json.loads((EDITOR / "package-lock.json").read_text())["packages"]
    bundled = [name.removeprefix("node_modules/") for name, each in packages.items() if name and not each.get("dev")]
    licences = (STATIC / "vendor" / "codemirror.LICENSE").read_text()
    assert [name for name in bundled if f"\n{name}\n" not in licences] == []
    assert {each["license"] for name, each in packages.items() if name} == {"MIT"}
