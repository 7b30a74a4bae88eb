"""Letters: plain text, with the same as HTML for who reads it on a phone, in light or in dark."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

_CODE: Final = re.compile(r" {4}(\S+)")
_SIGNATURE: Final = "\n\n--\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph of the text; `kind` is words, code or link, by its look: see parts_of."""

    kind: str
    text: str


def parts_of(text: str) -> list[Part]:
    """A paragraph of one indented word is a code to type, one that is an address of ours is where to go: what
    people name may stand in a letter, and must not become its button."""
    body = text.partition(_SIGNATURE)[0]
    return [_part(paragraph) for paragraph in re.split(r"\n{2,}", body.strip("\n"))]


def _part(paragraph: str) -> Part:
    code = _CODE.fullmatch(paragraph)
    if code:
        return Part("code", code[1])
    words = paragraph.strip()
    return Part("link" if _is_own_address(words) else "words", words)


def _is_own_address(text: str) -> bool:
    return (
        text.startswith(f"{settings.STEPWELL_BASE_URL.rstrip('/')}/") and " " not in text and "\n" not in text
    )


def signed(text: str) -> str:
    """With the name of the product and the configured address, whatever Host a request named."""
    return f"{text.strip()}{_SIGNATURE}Stepwell at {place()}\n"


def place() -> str:
    return urlsplit(settings.STEPWELL_BASE_URL).netloc


def as_html(subject: str, text: str, action: str = "Open the link") -> str:
    """`action` is what the button of a link says."""
    context = {"subject": subject, "parts": parts_of(text), "place": place(), "action": action}
    return render_to_string("mail/letter.html", context)


def letter(subject: str, text: str, receivers: list[str], action: str = "") -> EmailMultiAlternatives:
    """Signed, not sent yet; what breaks the line of the subject becomes a space."""
    subject = " ".join(subject.split())
    message = EmailMultiAlternatives(subject, signed(text), None, receivers)
    message.attach_alternative(as_html(subject, text, action or "Open the link"), "text/html")
    return message
