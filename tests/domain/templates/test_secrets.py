"""Secrets are found by their form and by the names of their keys; prose, hashes, ids and references are not."""

import base64

import pytest

from domain.jsonvalue import JsonValue
from domain.templates.secret_patterns import KINDS, secrets_in_text
from domain.templates.secrets import find_secrets, random_texts

HEX = "0123456789abcdef"
MIXED = "aZ3bY4cX5dW6eV7fU8gT9hS0"
# In pieces, so that nothing here is taken for a secret itself.
PLANTED = {
    "aws_access_key": "AK" + "IA" + "QWERTZUIOPASDFGH",
    "github_token": "gh" + "p_" + MIXED + MIXED[:12],
    "gitlab_token": "gl" + "pat-" + MIXED[:20],
    "slack_token": "xo" + "xb-123456789012-" + MIXED,
    "stripe_key": "sk" + "_live_" + MIXED,
    "webhook_secret": "wh" + "sec_" + MIXED + MIXED,
    "anthropic_key": "sk" + "-ant-api03-" + MIXED + MIXED,
    "openai_key": "sk" + "-proj-" + MIXED + MIXED,
    "google_key": "AI" + "za" + MIXED + MIXED[:11],
    "google_oauth": "GOC" + "SPX-" + MIXED + MIXED[:4],
    "jwt": "ey" + "J" + MIXED + ".ey" + "J" + MIXED + "." + MIXED,
    "sendgrid_key": "S" + "G." + MIXED[:22] + "." + MIXED + MIXED[:19],
    "twilio_key": "S" + "K" + HEX + HEX,
    "npm_token": "np" + "m_" + MIXED + MIXED[:12],
    "pypi_token": "py" + "pi-AgEIcHlwaS5vcmc" + MIXED + MIXED,
    "azure_client_secret": "aB1" + "8Q~" + MIXED + MIXED[:9],
    "hugging_face_token": "h" + "f_" + MIXED + MIXED[:10],
    "digitalocean_token": "do" + "p_v1_" + HEX * 4,
    "telegram_token": "123456789" + ":AA" + MIXED + MIXED[:9],
    "mailgun_key": "ke" + "y-" + HEX + HEX,
    "shopify_token": "shp" + "at_" + HEX + HEX,
    "databricks_token": "da" + "pi" + HEX + HEX,
    "private_key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMII\n-----END RSA " + "PRIVATE KEY-----",
    "slack_webhook": "hooks.sl" + "ack.com/services/T0001/B0001/" + MIXED,
    "discord_webhook": "disc" + "ord.com/api/webhooks/123456789012/" + MIXED,
    "azure_account_key": "Account" + "Key=" + MIXED * 3 + MIXED[:14] + "==",
    "azure_signature": "https://a.example/c?sv=1&" + "sig=" + MIXED + MIXED,
    "url_password": "postgres://owner:" + "correct-horse" + "@db.example/claims",
    "bearer_token": "Bear" + "er " + MIXED,
    "basic_credentials": "Bas" + "ic " + base64.b64encode(b"owner:correct-horse").decode(),
    "assigned_secret": "db_pass" + "word=c0rrect-horse",
}
ORDINARY = (
    "The bearer of this letter is authenticated by the password desk, under a secret that nobody knows.",
    "password: required",
    "api_key: string",
    "Basic information about the year 2026, and basic understanding2 of it",
    "d41d8cd98f00b204e9800998ecf8427e",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "550e8400-e29b-41d4-a716-446655440000",
    "sk-learn-based-classification-model",
    "skill-based-routing-for-tickets",
    "https://example.com/a/b?signature=none&x=1",
    "http://host.example:8080/path@x and bob@example.com",
    "{{ input.token }}",
    "Bearer ${TOKEN}",
    "Bearer {{ input.token }}",
    "https://${USER}:${PASS}@host.example",
    "password={{ input.password }}",
    "key-results-of-the-quarter",
    "2026-01-31T09:00:00Z",
)


@pytest.mark.parametrize("kind", sorted(PLANTED))
def test_a_secret_is_found_alone_and_in_prose(kind: str) -> None:
    secret = PLANTED[kind]

    for text in (secret, f"Use {secret} for this.", f"# {secret}"):
        assert [found.kind for found in secrets_in_text(text)] == [kind]


def test_every_kind_is_planted() -> None:
    assert sorted(PLANTED) == sorted(KINDS)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_none(text: str) -> None:
    assert list(secrets_in_text(text)) == []
    assert find_secrets({"message": text}) == ()


def found_in(document: JsonValue) -> list[tuple[str, str, str]]:
    """Return path, kind and reference of each secret."""
    return [(found.path, found.kind, found.reference) for found in find_secrets(document)]


def test_the_name_of_a_key_makes_a_literal_a_secret() -> None:
    parameters: JsonValue = {
        "apiKey": "abcd1234",
        "X-Auth-Token": "zzzz",
        "db_password": 123456,
        "headers": [{"name": "Authorization", "value": "Token abc"}],
    }

    assert found_in({"steps": [{"parameters": parameters}]}) == [
        ("steps[0].parameters.apiKey", "by_name", "APIKEY"),
        ("steps[0].parameters.X-Auth-Token", "by_name", "X_AUTH_TOKEN"),
        ("steps[0].parameters.db_password", "by_name", "DB_PASSWORD"),
        ("steps[0].parameters.headers[0].value", "by_name", "AUTHORIZATION"),
    ]


def test_references_words_and_limits_under_such_a_key_are_none() -> None:
    parameters: JsonValue = {
        "api_key": "${API_KEY}",
        "token": "{{ input.token }}",
        "max_tokens": 500,
        "authorization": "none",
        "secret": True,
        "signature": "as on the last page",
    }

    assert find_secrets({"parameters": parameters, "input": {"password": {"type": "string"}}}) == ()


def test_a_default_of_an_input_for_a_secret_is_one() -> None:
    document: JsonValue = {"input": {"password": {"type": "string", "description": "of the day", "default": "hunter2"}}}

    assert found_in(document) == [("input.password.default", "by_name", "PASSWORD")]


def test_one_secret_in_two_places_has_one_reference_and_the_result_does_not_hold_it() -> None:
    secret = PLANTED["github_token"]

    found = find_secrets({"a": secret, "b": f"Use {secret}", "c": PLANTED["npm_token"]})

    assert [each.reference for each in found] == ["GITHUB_TOKEN", "GITHUB_TOKEN", "NPM_TOKEN"]
    assert secret not in repr(found)


def test_a_random_text_is_a_hint_only() -> None:
    document: JsonValue = {
        "a": f"{MIXED}{MIXED[::-1]}",
        "b": HEX * 2,
        "c": "a long text of many ordinary words, in 2026",
    }

    assert find_secrets(document) == ()
    assert random_texts(document) == ("a",)
