"""What a webhook is told about how its producer signs."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from apps.webhooks.choices import Scheme

DEFAULT_TOLERANCE_SECONDS: Final = 300
MAX_TOLERANCE_SECONDS: Final = 3600

_Header = str


class ConfigInvalid(ValueError):
    """An option is wrong or missing; the message names it."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Options of all schemes; those that a scheme does not know must be left out.

    hmac: `header`, `algorithm`, `encoding`, `prefix` before the signature, and where the producer signs a
    time: `timestamp_header` (Unix seconds or milliseconds) and `signed`, what it signs.
    basic: `username`. header: `header`.
    """

    tolerance_seconds: int = DEFAULT_TOLERANCE_SECONDS
    header: _Header = ""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp_header: _Header = ""
    signed: Literal["body", "timestamp.body", "timestamp:body", "timestampbody"] = "body"
    username: str = ""


class Verification(msgspec.Struct, frozen=True):
    """A scheme with its options and secret. Keep it out of logs."""

    scheme: Scheme = Scheme.NONE
    options: Options = Options()
    secret: str = ""

    def __repr__(self) -> str:
        return f"Verification({self.scheme})"

    @property
    def secret_headers(self) -> frozenset[str]:
        """Lower-case names of the headers that hold the secret itself."""
        if self.scheme == Scheme.BASIC:
            return frozenset({"authorization"})
        return frozenset({self.options.header.lower()}) if self.scheme == Scheme.HEADER else frozenset()


_TIMED: Final = {"tolerance_seconds"}
_KNOWN: Final[Mapping[Scheme, set[str]]] = {
    Scheme.NONE: set(),
    Scheme.STRIPE: _TIMED,
    Scheme.GITHUB: set(),
    Scheme.SVIX: _TIMED,
    Scheme.SLACK: _TIMED,
    Scheme.SHOPIFY: set(),
    Scheme.HMAC: _TIMED | {"header", "algorithm", "encoding", "prefix", "timestamp_header", "signed"},
    Scheme.BASIC: {"username"},
    Scheme.HEADER: {"header"},
}
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def options_from(scheme: Scheme, values: Mapping[str, object]) -> Options:
    """Checked options. Raises ConfigInvalid."""
    unknown = set(values) - _KNOWN[scheme]
    if unknown:
        raise ConfigInvalid(f"{scheme.label} has no option {min(unknown)}")
    try:
        options = msgspec.convert(dict(values), Options)
    except msgspec.ValidationError as problem:
        raise ConfigInvalid(str(problem)) from None
    if not 1 <= options.tolerance_seconds <= MAX_TOLERANCE_SECONDS:
        raise ConfigInvalid(f"the tolerance is between 1 and {MAX_TOLERANCE_SECONDS} seconds")
    _check_headers(scheme, options)
    if scheme == Scheme.BASIC and (not options.username or ":" in options.username):
        raise ConfigInvalid("a user name without a colon is needed")
    return options


def stored_options(options: Options) -> dict[str, object]:
    """As the database keeps them."""
    stored: dict[str, object] = msgspec.to_builtins(options)
    return stored


def _check_headers(scheme: Scheme, options: Options) -> None:
    if scheme in (Scheme.HMAC, Scheme.HEADER) and not options.header:
        raise ConfigInvalid("the name of a header is needed")
    if scheme == Scheme.HMAC and options.signed != "body" and not options.timestamp_header:
        raise ConfigInvalid("what is signed holds a time, so the name of its header is needed")
    for name in (options.header, options.timestamp_header):
        if len(name) > 64 or not _NAME_CHARACTERS.issuperset(name.lower()):
            raise ConfigInvalid(f"{name[:64]!r} is no name of a header")
