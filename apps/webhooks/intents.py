"""Another service asks for a webhook of its own (spec 05, 2.5): who asks, and where the answer goes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

MAX_NAME: Final = 128
MAX_REDIRECT: Final = 2000
MAX_PREFIX: Final = 64
CANCELLED: Final = "user_cancelled"
_ANSWERS: Final = frozenset({"url", "error"})
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_PREFIX: Final = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
# Where a program on the person's own computer listens; TLS has no meaning there.
_LOCAL: Final = frozenset({"localhost", "127.0.0.1"})


class IntentInvalid(Exception):
    """The text is for the person, who can only go back to whoever sent them."""


class PrefixInvalid(Exception):
    """Lower-case letters and digits, with single dots, hyphens or underscores between them."""


@dataclass(frozen=True, slots=True)
class Intent:
    """`name` is what asks, in its own words, or its domain; `redirect_uri` has been checked."""

    name: str
    domain: str
    redirect_uri: str

    @property
    def prefix(self) -> str:
        """What its events are called before the slash, as proposed."""
        words = self.name.lower()
        if self.domain:
            words = words.removeprefix("www.").rpartition(".")[0] or words
        return re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:MAX_PREFIX].strip("-") or "webhook"

    @property
    def host(self) -> str:
        return urlsplit(self.redirect_uri).netloc

    @property
    def is_elsewhere(self) -> bool:
        """Whether the answer goes to another domain than the one that is said to ask."""
        host = urlsplit(self.redirect_uri).hostname or ""
        domain = self.domain.removeprefix("www.")
        return bool(domain) and host != domain and not host.endswith(f".{domain}")

    @property
    def cancel_url(self) -> str:
        return self.answer(error=CANCELLED)

    def answer(self, **values: str) -> str:
        """The redirect with these values, in the place of any that came with it."""
        parts = urlsplit(self.redirect_uri)
        kept = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] not in _ANSWERS]
        return parts._replace(query="&".join([*kept, urlencode(values)])).geturl()


def intent_from(values: Mapping[str, str]) -> Intent:
    """Raises IntentInvalid."""
    name, domain = values.get("name", "").strip(), values.get("domain", "").strip().lower()
    if not name and not domain:
        raise IntentInvalid("The link does not say who asks: it needs a name or a domain.")
    if len(name) > MAX_NAME or not name.isprintable():
        raise IntentInvalid(f"The name of who asks is not one of at most {MAX_NAME} printable characters.")
    if not name and not _is_host(domain):
        raise IntentInvalid("The domain of who asks is not the name of a host.")
    redirect_uri = values.get("redirect_uri", "")
    _check_redirect(redirect_uri)
    return Intent(name or domain, "" if name else domain, redirect_uri)


def checked_prefix(prefix: str) -> str:
    """Raises PrefixInvalid."""
    cleaned = prefix.strip()
    if len(cleaned) > MAX_PREFIX or not _PREFIX.fullmatch(cleaned):
        raise PrefixInvalid(PrefixInvalid.__doc__)
    return cleaned


def _check_redirect(redirect_uri: str) -> None:
    """Only what every reader of URLs reads alike: a browser goes elsewhere with a backslash, a space, a user
    name or a missing slash than this parser would."""
    if not redirect_uri:
        raise IntentInvalid("The link does not say where to go afterwards: it needs a redirect_uri.")
    if len(redirect_uri) > MAX_REDIRECT:
        raise IntentInvalid(f"The redirect_uri has more than {MAX_REDIRECT} characters.")
    if not (redirect_uri.isascii() and redirect_uri.isprintable()) or {" ", "\\"} & set(redirect_uri):
        raise IntentInvalid("The redirect_uri has characters that no URL has.")
    parts = _split(redirect_uri)
    if parts.scheme not in ("https", "http"):
        raise IntentInvalid("The redirect_uri is not an https URL.")
    if "@" in parts.netloc or not _is_host(parts.hostname or "") or parts.fragment or "#" in redirect_uri:
        raise IntentInvalid("The redirect_uri is not a plain URL: a host, a path and a query.")
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise IntentInvalid("The redirect_uri is not encrypted: only https is, except on localhost.")


def _split(redirect_uri: str) -> SplitResult:
    try:
        parts = urlsplit(redirect_uri)
        parts.port  # noqa: B018 raises where it is no port
    except ValueError:
        raise IntentInvalid("The redirect_uri is not a URL.") from None
    return parts


def _is_host(host: str) -> bool:
    return len(host) <= 253 and _HOST.fullmatch(host) is not None
