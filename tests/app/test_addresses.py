"""Addresses of PostgreSQL: no part of a password is taken for another part, and none is ever shown."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.addresses import read_address

PASSWORDS = st.text(st.sampled_from("ps@/?#:%&=[]'\\ +0"), min_size=1, max_size=12)


@given(password=PASSWORDS, keyword=st.booleans(), host=st.sampled_from(["127.0.0.1:1", "", "[::1]:1"]))
@example(password="to@psecret", keyword=False, host="127.0.0.1:1")
@example(password="se/cret", keyword=False, host="127.0.0.1:1")
@example(password="12?3", keyword=False, host="127.0.0.1:1")
@example(password="to psecret", keyword=True, host="")
@settings(max_examples=300)
def test_a_password_is_read_whole_or_the_address_is_refused(password: str, keyword: bool, host: str) -> None:
    marked = f"xyzzy{password}xyzzy"
    if keyword:
        address = f"user=ann password={marked} host=127.0.0.1 port=1"
    else:
        address = f"postgresql://ann:{marked}@{host}/db"
    read, refusal = {}, ""
    try:
        read = read_address(address)
    except ValueError as error:
        refusal = str(error)
    assert "xyzzy" not in refusal
    for name, value in read.items():
        assert name == "password" or "xyzzy" not in value, (address, read)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:to@psecret@127.0.0.1:1/db",
        "postgresql://ann:psecret",
        "postgresql://ann:1/psecret@127.0.0.1/db",
        "postgresql+psycopg://ann:psecret@127.0.0.1/db",
        "host=psecret@127.0.0.1",
        "host=127.0.0.1 port=psecret",
        "dbname=postgresql://ann:psecret@127.0.0.1/db",
        "host=127.0.0.1 password=to psecret",
        "host=127.0.0.1 connect_timeout=psecret",
        "postgresql://ann:psecret@127.0.0.1/db?sslmode",
    ],
)
@pytest.mark.parametrize("variable", ["DATABASE_URL", "READ_DATABASE_URL"])
def test_a_command_refuses_such_an_address_without_repeating_it(
    procession: object, monkeypatch: pytest.MonkeyPatch, variable: str, address: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ann@127.0.0.1:1/db")
    monkeypatch.setenv(variable, address)
    for options in ((), ("--json",)):
        result = procession("executions", *options)  # type: ignore[operator]
        assert result.exit_code == 2
        assert variable in result.output
        assert "psecret" not in result.output


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:a:b#c@h:5432,h2:5433/db?sslmode=require",
        "postgresql://ann@[::1]:5432/db",
        "postgresql://ann:%40%2F@h/db",
        "postgresql:///db?host=/tmp/x",
        "postgresql://h/db?user=ann&password=p@ss",
        "host=/tmp/x@y user=ann",
        "host=@abstract",
        "user=ann password='a b@c/d' host=h",
        "",
    ],
)
def test_an_address_that_libpq_reads_as_it_is_meant_is_taken(address: str) -> None:
    read_address(address)
