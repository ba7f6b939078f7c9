"""Settings from the environment and from flags."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.settings import BadSetting, Settings, read_settings


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
        ("PROCESSION_MAX_RESULT", "1GiB", "should be from 1024 to 4194304 bytes"),
        ("PROCESSION_DRAIN", "-1s", "a duration is written like"),
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
    monkeypatch.setenv("PROCESSION_API_KEY", "hunter22")
    settings = read_settings()
    assert "hunter22" not in repr(settings)
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "hunter22"
