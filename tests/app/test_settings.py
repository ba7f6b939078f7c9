"""Settings from the environment and from flags."""

import resource
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import BadSetting, Settings, read_settings
from domain.agents.secret_names import SecretNames


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.__dataclass_fields__.values():
        monkeypatch.delenv(field.metadata["variable"], raising=False)


def test_a_flag_precedes_its_variable_and_a_variable_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().port == 8080
    monkeypatch.setenv("PROCESSION_PORT", "9000")
    assert read_settings(port=None).port == 9000
    assert read_settings(port=9001).port == 9001


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSION_LEASE", "")
    monkeypatch.setenv("DATABASE_URL", "")
    assert (read_settings().lease, read_settings().database_url) == (timedelta(seconds=10), None)


def test_an_empty_list_of_secrets_is_a_decision_and_an_absent_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().agent_secrets is None
    monkeypatch.setenv("PROCESSION_AGENT_SECRETS", "")
    assert read_settings().agent_secrets == SecretNames()
    monkeypatch.setenv("PROCESSION_AGENT_SECRETS", "A,B_*")
    assert read_settings().policy.secrets == SecretNames(frozenset({"A"}), ("B_",))


def test_the_home_is_the_given_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert read_settings().home.name == "procession"
    monkeypatch.setenv("PROCESSION_HOME", str(tmp_path))
    assert read_settings().home == tmp_path


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PROCESSION_PORT", "65536", "should be less than or equal to 65535"),
        ("PROCESSION_PORT", "-1", "should be greater than or equal to 0"),
        ("PROCESSION_POOL_SIZE", "many", "should be a valid integer, unable to parse string as an integer"),
        ("PROCESSION_LEASE", "0s", "should be greater than 0 seconds"),
        ("PROCESSION_MAX_RESULT", "much", "should be a size in bytes, such as 1MiB, 500kB or 65536"),
        ("PROCESSION_LARGE_RESULTS", "65MiB", "should be from 1048576 to 67108864 bytes"),
        ("PROCESSION_MAX_RESULT", "1GiB", "should be from 1024 to 4194304 bytes"),
        ("PROCESSION_DRAIN", "-1s", "a duration is written like"),
        ("PROCESSION_AGENT_SECRETS", "A,*", "it is a list like"),
        ("PROCESSION_OUTGOING_ALLOW", "10.0.0.0/99", ".* is no address like"),
        ("PROCESSION_OUTGOING_DENY", "http://a", ".* is no address like"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSetting, match=f"^{variable}: {message}"):
        read_settings()


def test_a_size_has_a_unit_or_counts_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (read_settings().max_result, read_settings().max_execution) == (1 << 20, 256 << 20)
    for text, size in (("2MiB", 2 << 20), ("500kB", 500_000), (" 65536 ", 65_536), ("1 mb", 10**6)):
        monkeypatch.setenv("PROCESSION_MAX_RESULT", text)
        assert read_settings().max_result == size


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(BadSetting, match=r"^PROCESSION_PORT: .*; PROCESSION_LEASE: "):
        read_settings(port=-1, lease="soon")


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSION_API_KEY", "hunter22hunter22")
    settings = read_settings()
    assert "hunter22" not in repr(settings)
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "hunter22hunter22"


@pytest.mark.parametrize("value", ["k" * 16, " " + "k" * 16 + "\r\n", "\u00a0" + "k" * 16])
def test_white_space_is_no_part_of_a_key(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PROCESSION_API_KEY", value)
    key = read_settings().api_key
    assert key is not None
    assert key.get_secret_value() == "k" * 16


@pytest.mark.parametrize(
    "value", ["hunter22", "hunter22" + " " * 20, "  ", "hunter22 hunter22", "hunter22hunter22\xe4"]
)
def test_a_key_that_can_be_guessed_or_not_be_sent_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PROCESSION_API_KEY", value)
    with pytest.raises(BadSetting, match=r"^PROCESSION_API_KEY: has ") as refused:
        read_settings()
    assert "hunter22" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROCESSION_PUBLIC_URL", "hunter22.example"),
        ("PROCESSION_PUBLIC_URL", "https://ann:hunter22@procession.example"),
        ("PROCESSION_PUBLIC_URL", "https://procession.example?hunter22"),
        ("PROCESSION_PUBLIC_URL", "https://procession.example:hunter22"),
        ("PROCESSION_ALLOWED_HOSTS", "hunter22:80"),
        ("PROCESSION_ALLOWED_HOSTS", "https://hunter22"),
        ("PROCESSION_ALLOWED_HOSTS", ","),
    ],
)
def test_addresses_of_the_api_are_checked(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSetting, match=rf"^{variable}: ") as refused:
        read_settings()
    assert "hunter22" not in str(refused.value)


def test_addresses_of_the_api_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSION_PUBLIC_URL", "https://Procession.example:8443/base/ ")
    monkeypatch.setenv("PROCESSION_ALLOWED_HOSTS", "Q.example, 10.0.0.7 ,[::1]")
    settings = read_settings()
    assert settings.public_url == "https://Procession.example:8443/base"
    assert settings.allowed_hosts == ("q.example", "10.0.0.7", "[::1]")


def test_a_process_serves_as_many_connections_as_it_may_have_files() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = (
        "import resource; from app.process import raise_file_limit; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 1000)); "
        "print(raise_file_limit(10, 100), raise_file_limit(10, 2000), raise_file_limit(500, 1))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["100", "724", "16"]
    assert before == resource.getrlimit(resource.RLIMIT_NOFILE)


@pytest.mark.parametrize(("text", "most"), [("", None), ("0", None), ("1MiB", 1 << 20), ("64MiB", 64 << 20)])
def test_large_results_are_not_allowed_unless_a_size_is_given(
    monkeypatch: pytest.MonkeyPatch, text: str, most: int | None
) -> None:
    monkeypatch.setenv("PROCESSION_LARGE_RESULTS", text)
    assert read_settings().large_results == most
