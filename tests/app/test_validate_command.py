"""`procession validate`: every problem with its place, whatever is in the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

VALID = "name: p\nsteps:\n  - {id: a, agent: echo, message: hi}\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
HOSTILE = {
    "empty": b"",
    "a list": b"- 1\n",
    "not YAML": b"name: [\n",
    "a bomb": BOMB.encode(),
    "deep": b"[" * 100_000,
    "ten megabytes": b"name: p\n# " + b"x" * 10_000_000,
    "not UTF-8": b"name: \xff\xfe\n",
    "NUL": b"name: p\x00q\n",
    "a tag": b"name: !!python/object/apply:os.system ['true']\nsteps: []\n",
    "wrong types": b"name: {a: 1}\nsteps: 12\n",
    "a cycle": b"name: p\nsteps:\n- {id: a, agent: x, message: m, depends_on: b}\n"
    b"- {id: b, agent: x, message: m, depends_on: a}\n",
    "the same id twice": b"name: p\nsteps:\n- {id: a, agent: x, message: m}\n- {id: a, agent: x, message: m}\n",
    "a key twice": b"name: p\nname: q\nsteps:\n- {id: a, agent: x, message: m}\n",
    "a huge number": b"name: p\nsteps:\n- {id: a, agent: x, message: m, parameters: {n: " + b"9" * 5_000 + b"}}\n",
    "a hostile expression": b"name: p\nsteps:\n- {id: a, agent: x, message: '{{ " + b"(" * 10_000 + b" }}'}\n",
}


def test_a_valid_definition_is_said_to_be_valid(procession: Run, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(VALID)
    result = procession("validate", str(file))
    assert (result.exit_code, result.stdout) == (0, f"{file}: valid\n")


@pytest.mark.parametrize("source", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_file_is_refused_with_its_problems(document: Run, tmp_path: Path, source: bytes) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes(source)
    answer = document("validate", str(file), code=1)
    assert not answer["valid"]
    assert [problem["code"] for problem in answer["files"][0]["problems"]]


def test_problems_are_located_in_their_file(procession: Run, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(VALID.replace("message: hi", "mesage: hi"))
    result = procession("validate", str(file))
    assert result.exit_code == 1
    assert f"{file}:3:" in result.stdout
    assert "did you mean `message`?" in result.stdout


def test_every_file_is_checked_and_one_invalid_one_counts(document: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(VALID)
    bad.write_text("name: p\n")
    answer = document("validate", str(bad), str(good), code=1)
    assert [file["valid"] for file in answer["files"]] == [False, True]


def test_standard_input_can_be_checked(document: Run) -> None:
    assert document("validate", "-", given=VALID.encode())["valid"]


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_a_matter_of_usage(procession: Run, tmp_path: Path, name: str) -> None:
    result = procession("validate", str(tmp_path / name))
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_agents_are_checked_where_a_database_is_asked(document: Run, hello: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(VALID.replace("echo", "ecko"))
    assert document("validate", str(file))["valid"]
    answer = document("validate", str(file), "--agents", code=1)
    assert [problem["code"] for problem in answer["files"][0]["problems"]] == ["unknown_agent"]


def test_a_warning_is_an_error_where_the_command_is_strict(document: Run, hello: Path, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(VALID.replace("message: hi", "message: hi, sla: 3"))
    loose = document("validate", str(file))["files"][0]
    assert (loose["valid"], [found["code"] for found in loose["warnings"]]) == (True, ["unknown_key"])
    strict = document("validate", "--strict", str(file), code=1)["files"][0]
    assert ([found["code"] for found in strict["problems"]], strict["warnings"]) == (["unknown_key"], [])
    refused = document("publish", "--strict", str(file), code=1)
    assert [found["code"] for found in refused["error"]["problems"]] == ["unknown_key"]
    published = document("publish", str(file))
    assert (published["version"], [found["code"] for found in published["warnings"]]) == (1, ["unknown_key"])


def test_the_schema_of_the_language_is_written(document: Run) -> None:
    assert "steps" in document("schema")["properties"]


@pytest.mark.parametrize(
    ("setting", "flags", "severities"),
    [
        ("ORDERS_*", (), []),
        ("OTHER", (), ["error"]),
        ("", (), ["error"]),
        (None, (), ["warning"]),
        (None, ("--strict",), ["error"]),
    ],
)
def test_variables_that_the_environment_does_not_allow_are_named_without_a_database(
    document: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: str | None,
    flags: tuple[str, ...],
    severities: list[str],
) -> None:
    monkeypatch.delenv("PROCESSION_AGENT_SECRETS", raising=False)
    if setting is not None:
        monkeypatch.setenv("PROCESSION_AGENT_SECRETS", setting)
    file = tmp_path / "p.yaml"
    file.write_text(VALID + 'triggers:\n  - {type: webhook, id: orders, secret: "${ORDERS_SECRET}"}\n')
    invalid = "error" in severities
    answer = document("validate", *flags, str(file), code=int(invalid))
    (result,) = answer["files"]
    found = [(each["code"], each.get("severity", "error"), each["line"]) for each in result["problems"]]
    assert found == [("secret_not_allowed", severity, 5) for severity in severities]
    assert result["valid"] is not invalid


def test_what_the_installation_lacks_is_said_without_a_database(
    document: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "p.yaml"
    source = "name: p\ntriggers: [{id: often, type: schedule, every: 1s}]\nsteps:\n"
    file.write_text(source + "  - {id: say, type: notification, channel: slack, message: hi}\n")
    answer = document("validate", str(file), code=1)["files"][0]
    assert {each["code"] for each in answer["problems"]} == {"interval_too_short", "channel_not_configured"}
    assert [each["code"] for each in answer["warnings"]] == ["channel_not_configured"]
    monkeypatch.setenv("PROCESSION_SLACK_URL", "https://hooks.example/x")
    monkeypatch.setenv("PROCESSION_MIN_INTERVAL", "1s")
    assert document("validate", str(file))["files"][0]["problems"] == []
