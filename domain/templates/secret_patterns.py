"""The forms of well-known kinds of secrets; each takes time in proportion to the text."""

import base64
import re
from collections.abc import Iterator
from typing import NamedTuple

# A token begins where no character of one stands before it, so that each is read once.
_BEGIN = r"(?<![A-Za-z0-9_-])"
_END = r"(?![A-Za-z0-9_-])"
_PLAIN = "A-Za-z0-9_-"


class SecretSpan(NamedTuple):
    """A secret in a text: its kind, and its first character and the one after its last."""

    kind: str
    start: int
    end: int


_TOKENS = {
    "aws_access_key": "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
    "github_token": "(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})",
    "gitlab_token": f"gl(?:pat|dt|rt|ptt|ft|cbt|soat|agent)-[{_PLAIN}]{{20,300}}",
    "slack_token": "(?:xox[abeoprs]-[A-Za-z0-9-]{10,300}|xapp-[0-9]-[A-Za-z0-9-]{10,300})",
    "stripe_key": "(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,255}",
    "webhook_secret": r"whsec_[A-Za-z0-9+/]{24,255}={0,2}",
    "anthropic_key": f"sk-ant-[{_PLAIN}]{{20,300}}",
    "openai_key": f"sk-(?:proj-|svcacct-|admin-|or-v1-)?(?=[{_PLAIN}]{{0,60}}[0-9])[{_PLAIN}]{{20,300}}",
    "google_key": f"AIza[{_PLAIN}]{{35}}",
    "google_oauth": rf"(?:GOCSPX-[{_PLAIN}]{{20,60}}|ya29\.[{_PLAIN}]{{20,500}})",
    "jwt": rf"eyJ[{_PLAIN}]{{10,4000}}\.eyJ[{_PLAIN}]{{10,8000}}\.[{_PLAIN}]{{10,2000}}",
    "sendgrid_key": rf"SG\.[{_PLAIN}]{{16,32}}\.[{_PLAIN}]{{32,64}}",
    "twilio_key": "SK[0-9a-f]{32}",
    "npm_token": "npm_[A-Za-z0-9]{36}",
    "pypi_token": f"pypi-AgE[{_PLAIN}]{{50,1000}}",
    "azure_client_secret": r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
    "hugging_face_token": "hf_[A-Za-z0-9]{30,60}",
    "digitalocean_token": "do[opr]_v1_[a-f0-9]{64}",
    "telegram_token": f"[0-9]{{8,10}}:AA[{_PLAIN}]{{32,34}}",
    "mailgun_key": "key-[0-9a-f]{32}",
    "shopify_token": "shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    "databricks_token": "dapi[a-f0-9]{32}",
}
_OTHERS = {
    "private_key": r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----",
    "slack_webhook": r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,200}",
    "discord_webhook": r"discord(?:app)?\.com/api/webhooks/[0-9]{10,30}/[A-Za-z0-9_-]{20,200}",
    "azure_account_key": r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,100}={0,2}",
    "azure_signature": r"(?<=[?&])sig=[A-Za-z0-9%+/]{30,150}={0,2}",
    "url_password": (
        r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@'\"{}$]{0,100}:(?P<secret1>[^\s/@{}$]{1,200})@"
    ),
    "bearer_token": (
        r"(?i:(?<![\w-])bearer[ ]{1,3})"
        r"(?P<secret2>(?=[A-Za-z0-9._~+/-]{0,60}[0-9])[A-Za-z0-9._~+/-]{16,4000}={0,2})"
    ),
    "basic_credentials": (
        r"(?i:(?<![\w-])basic[ ]{1,3})"
        r"(?P<secret3>(?=[A-Za-z0-9]{0,60}[A-Z0-9])[A-Za-z0-9+/]{12,1000}={0,2})(?![\w-])"
    ),
    "assigned_secret": (
        r"(?i:(?<![\w-])(?:[a-z]{1,20}[_-])?(?:password|passwd|pwd|passphrase|api[_-]?key|access[_-]?key|secret[_-]?key"
        r"|client[_-]?secret|access[_-]?token|auth[_-]?token|secret[_-]?access[_-]?key))"
        r"[\"']?[ ]{0,3}[=:][ ]{0,3}[\"']?(?P<secret4>(?=[A-Za-z]{0,40}[^\sA-Za-z\"'])(?=[^\s\"']{0,60}[A-Za-z])"
        r"[^\s\"'&,;{}$<>()]{8,300})"
    ),
}
_ALL = re.compile(
    "|".join(
        [f"(?P<{kind}>{_BEGIN}{form}{_END})" for kind, form in _TOKENS.items()]
        + [f"(?P<{kind}>{form})" for kind, form in _OTHERS.items()]
    )
)
_END_OF_KEY = re.compile(r"-----END [A-Z0-9 ]{0,60}-----")
_INNER = ("secret1", "secret2", "secret3", "secret4")
KINDS = (*_TOKENS, *_OTHERS)


def _is_pair(text: str) -> bool:
    """Return whether a text is a name and a password in the encoding of basic credentials."""
    try:
        return b":" in base64.b64decode(text, validate=True)
    except ValueError:
        return False


def secrets_in_text(text: str) -> Iterator[SecretSpan]:
    """Return every secret of a well-known form in a text, in order; none holds another."""
    at = 0
    while (found := _ALL.search(text, at)) is not None:
        start, end = found.span()
        inner = next((name for name in _INNER if found[name] is not None), None)
        kind = next(name for name in KINDS if found[name] is not None)
        at = end
        if kind == "private_key":
            closing = _END_OF_KEY.search(text, end)
            at = end = closing.end() if closing is not None else len(text)
        elif inner is not None:
            start, end = found.span(inner)
            if kind == "basic_credentials" and not _is_pair(text[start:end]):
                continue
        yield SecretSpan(kind, start, end)
