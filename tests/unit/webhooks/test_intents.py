"""Who may ask for a webhook, and where the answer may go."""

import pytest

from apps.webhooks.intents import Intent, IntentInvalid, PrefixInvalid, checked_prefix, intent_from

BACK = "https://billing.example/connected"


def intent(redirect_uri: str = BACK, **who: str) -> Intent:
    return intent_from({"redirect_uri": redirect_uri, **(who or {"name": "Acme"})})


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://billing.example",
        "HTTPS://Billing.Example:8443/done?state=1&x=%20",
        "https://xn--bcher-kva.example/done",
        "http://localhost:3000/done",
        "http://127.0.0.1/done",
    ],
)
def test_where_the_answer_may_go(redirect_uri: str) -> None:
    assert intent(redirect_uri).redirect_uri == redirect_uri


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://billing.example/done",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://[::1]/",
        "http://0x7f.1/",
        "https://billing.example@evil.example/",
        "https://billing.example:x/",
        "https://billing.example:99999/",
        "https://billing.example\\@evil.example/",
        "https:\\\\evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://",
        "https://evil.example#",
        "https://evil.example/#fragment",
        "https://evil .example/",
        " https://evil.example/",
        "https://evil.example/\r\nSet-Cookie: a=b",
        "https://evil.example/\t",
        "https://evil。example/",
        "https://b\u00fccher.example/",
        "https://evil.example./",
        "https://-evil.example/",
        "//evil.example/",
        "/o/acme",
        "evil.example",
        "javascript:alert(1)",
        "JavaScript://billing.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "ftp://billing.example/",
        f"https://billing.example/{'a' * 2000}",
        "",
    ],
)
def test_where_it_may_not(redirect_uri: str) -> None:
    with pytest.raises(IntentInvalid):
        intent(redirect_uri)


@pytest.mark.parametrize(
    "who",
    [
        {"name": " "},
        {"name": "a" * 129},
        {"name": "a\nb"},
        {"domain": "evil.example/path"},
        {"domain": "-"},
        {"domain": "a b.example"},
    ],
)
def test_who_asks_has_to_be_said(who: dict[str, str]) -> None:
    with pytest.raises(IntentInvalid):
        intent(**who)


@pytest.mark.parametrize(
    ("who", "prefix"),
    [
        ({"name": "Acme Billing"}, "acme-billing"),
        ({"name": "  --Ünïcode! 7 "}, "n-code-7"),
        ({"name": "支払い"}, "webhook"),
        ({"domain": "www.billing.example"}, "billing"),
        ({"domain": "Hooks.Acme.co.uk"}, "hooks-acme-co"),
        ({"domain": "localhost"}, "localhost"),
        ({"name": "a" * 128}, "a" * 64),
    ],
)
def test_the_prefix_comes_of_the_name(who: dict[str, str], prefix: str) -> None:
    assert intent(**who).prefix == prefix
    assert checked_prefix(prefix) == prefix


@pytest.mark.parametrize("prefix", ["", "A", "a/b", "a b", "-a", "a-", "a..b", 'a"', "a" * 65])
def test_a_prefix_is_a_slug(prefix: str) -> None:
    with pytest.raises(PrefixInvalid):
        checked_prefix(prefix)


def test_the_answer_is_added_to_what_came() -> None:
    asked = intent("https://billing.example/done?state=a%26b&url=theirs&error=old&flag")
    expected = "https://billing.example/done?state=a%26b&flag"
    assert asked.answer(url="https://x.example/e/k?") == f"{expected}&url=https%3A%2F%2Fx.example%2Fe%2Fk%3F"
    assert asked.cancel_url == f"{expected}&error=user_cancelled"
    assert intent("https://billing.example").cancel_url == "https://billing.example?error=user_cancelled"


@pytest.mark.parametrize(
    ("who", "is_elsewhere"),
    [
        ({"name": "Acme"}, False),
        ({"domain": "billing.example"}, False),
        ({"domain": "www.billing.example"}, False),
        ({"domain": "example"}, False),
        ({"domain": "ing.example"}, True),
        ({"domain": "other.example"}, True),
    ],
)
def test_an_answer_that_goes_elsewhere_is_noticed(who: dict[str, str], is_elsewhere: bool) -> None:
    assert intent(**who).is_elsewhere == is_elsewhere
