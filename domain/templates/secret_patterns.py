"""The forms of well-known kinds of secrets; each begins with letters of its own, so that searching them is quick."""

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

_PLAIN = "A-Za-z0-9_-"
_HEX = "[0-9a-f]"


class SecretSpan(NamedTuple):
    """A secret in a text: its kind, and its first character and the one after its last."""

    kind: str
    start: int
    end: int


# Kind, the letters that it begins with, and the rest of it.
_TOKENS = (
    ("aws_access_key", "AKIA", "[A-Z2-7]{16}"),
    ("aws_access_key", "ASIA", "[A-Z2-7]{16}"),
    ("github_token", "gh", "(?:[pousr]_[A-Za-z0-9]{36,255})"),
    ("github_token", "github_pat_", "[A-Za-z0-9_]{22,255}"),
    ("gitlab_token", "gl", f"(?:pat|dt|rt|ptt|ft|cbt|soat|agent)-[{_PLAIN}]{{20,300}}"),
    ("slack_token", "xox", "[abeoprs]-[A-Za-z0-9-]{10,300}"),
    ("slack_token", "xapp-", "[0-9]-[A-Za-z0-9-]{10,300}"),
    ("stripe_key", "sk_", "(?:live|test)_[A-Za-z0-9]{10,255}"),
    ("stripe_key", "rk_", "(?:live|test)_[A-Za-z0-9]{10,255}"),
    ("webhook_secret", "whsec_", r"[A-Za-z0-9+/]{24,255}={0,2}"),
    ("anthropic_key", "sk-ant-", f"[{_PLAIN}]{{20,300}}"),
    ("openai_key", "sk-", f"(?=[{_PLAIN}]{{0,60}}[0-9])(?=[{_PLAIN}]{{0,60}}[A-Z])[{_PLAIN}]{{20,300}}"),
    ("google_key", "AIza", f"[{_PLAIN}]{{35}}"),
    ("google_oauth", "GOCSPX-", f"[{_PLAIN}]{{20,60}}"),
    ("google_oauth", "ya29.", f"[{_PLAIN}]{{20,500}}"),
    ("jwt", "eyJ", rf"[{_PLAIN}]{{10,4000}}\.eyJ[{_PLAIN}]{{10,8000}}\.[{_PLAIN}]{{10,2000}}"),
    ("sendgrid_key", "SG.", rf"[{_PLAIN}]{{16,32}}\.[{_PLAIN}]{{32,64}}"),
    ("twilio_key", "SK", f"{_HEX}{{32}}"),
    ("npm_token", "npm_", "[A-Za-z0-9]{36}"),
    ("pypi_token", "pypi-AgE", f"[{_PLAIN}]{{50,1000}}"),
    ("hugging_face_token", "hf_", "[A-Za-z0-9]{30,60}"),
    ("digitalocean_token", "do", f"[opr]_v1_{_HEX}{{64}}"),
    ("mailgun_key", "key-", f"{_HEX}{{32}}"),
    ("shopify_token", "shp", "(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("databricks_token", "dapi", f"{_HEX}{{32}}"),
)
_WORDS = r"password|passwd|pwd|passphrase|(?:api|access|secret)[_-]?key|client[_-]?secret|(?:access|auth)[_-]?token"
# Kind and form; `secret` is the part that is to go, if it is not all of it.
_OTHERS = (
    ("azure_client_secret", rf"[0-9]Q~(?<=[A-Za-z0-9_~.]{{3}}[0-9]Q~)[A-Za-z0-9_~.-]{{31,34}}(?![{_PLAIN}])"),
    ("telegram_token", rf":AA(?<=[0-9]{{8}}:AA)[{_PLAIN}]{{32,34}}(?![{_PLAIN}])"),
    ("slack_webhook", r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,200}"),
    ("discord_webhook", r"discord(?:app)?\.com/api/webhooks/[0-9]{10,30}/[A-Za-z0-9_-]{20,200}"),
    ("azure_account_key", r"AccountKey=[A-Za-z0-9+/]{40,100}={0,2}"),
    ("azure_account_key", r"SharedAccessKey=[A-Za-z0-9+/]{40,100}={0,2}"),
    ("azure_signature", r"sig=(?<=[?&]sig=)[A-Za-z0-9%+/]{30,150}={0,2}"),
    ("url_password", r"://(?<=[A-Za-z]://)[^\s/:@'\"{}$]{0,100}:(?P<secret>[^\s/@{}$]{1,200})@"),
    ("bearer_token", r"(?i:bearer )(?P<secret>(?=[A-Za-z0-9._~+/-]{0,60}[0-9])[A-Za-z0-9._~+/-]{16,4000}={0,2})"),
    ("basic_credentials", r"(?i:basic )(?P<secret>[A-Za-z0-9+/]{12,1000}={0,2})(?![\w-])"),
    (
        "assigned_secret",
        rf"(?i:{_WORDS})[\"']?[ ]{{0,3}}[=:][ ]{{0,3}}[\"']?"
        r"(?P<secret>(?=[A-Za-z]{0,40}[^\sA-Za-z\"'])(?=[^\s\"']{0,60}[A-Za-z])[^\s\"'&,;{}$<>()]{8,300})",
    ),
)
_FORMS = [
    (kind, re.compile(f"{re.escape(begin)}(?<![{_PLAIN}]{re.escape(begin)}){rest}(?![{_PLAIN}])"))
    for kind, begin, rest in _TOKENS
] + [(kind, re.compile(form)) for kind, form in _OTHERS]
_SHORTEST = 8
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END_OF_KEY = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")
KINDS = ("private_key", *dict.fromkeys(kind for kind, _ in _FORMS))


def secrets_in_text(text: str) -> Iterator[SecretSpan]:
    """Return every secret of a well-known form in a text, in order; none holds another."""
    if len(text) < _SHORTEST:
        return
    found = [span for kind, form in _FORMS for span in _spans(kind, form, text)]
    found += _private_keys(text)
    at = 0
    # A stable order: of two that begin together, the kind that stands first in the tables.
    for span in sorted(found, key=lambda each: each.start):
        if span.start >= at:
            yield span
            at = span.end


def _spans(kind: str, form: re.Pattern[str], text: str) -> Iterator[SecretSpan]:
    part = "secret" if "secret" in form.groupindex else 0
    for found in form.finditer(text):
        start, end = found.span(part)
        if kind != "basic_credentials" or _is_pair(text[start:end]):
            yield SecretSpan(kind, start, end)


def _private_keys(text: str) -> Iterator[SecretSpan]:
    at = 0
    while (found := _PRIVATE_KEY.search(text, at)) is not None:
        closing = _END_OF_KEY.search(text, found.end())
        at = closing.end() if closing is not None else len(text)
        yield SecretSpan("private_key", found.start(), at)


def _is_pair(text: str) -> bool:
    """Return whether a text is a name and a password in the encoding of basic credentials."""
    try:
        return b":" in base64.b64decode(text, validate=True)
    except ValueError:
        return False
