"""Sending the audit log on, as its page shows it."""

from datetime import timedelta

from django.utils import timezone

from apps.audit_sinks.models import AuditSink
from apps.identity.models import User
from apps.tenancy.models import Account
from tests.integration.organisations.conftest import SignedIn

AUDIT = "/o/acme/settings/audit"
URL = "https://collector.example/audit?token=topsecret"


def test_it_is_off_until_an_owner_sets_it_up(signed_in: SignedIn, alice: User, acme: Account) -> None:
    browser = signed_in(alice)
    page = browser.get(AUDIT).content.decode()
    assert "Send it on" in page
    assert f"{AUDIT}/sink" in page
    made = browser.post(f"{AUDIT}/sink", {"url": f" {URL} "})
    assert made.status_code == 200
    assert "audit-sink-" in made.content.decode()
    assert "topsecret" not in made.content.decode()
    page = browser.get(AUDIT).content.decode()
    assert "Sent on to collector.example" in page
    assert "1 to send" in page
    assert "topsecret" not in page


def test_the_page_says_how_far_it_is_and_what_went_wrong(
    signed_in: SignedIn, alice: User, acme: Account
) -> None:
    browser = signed_in(alice)
    browser.post(f"{AUDIT}/sink", {"url": URL})
    sink = AuditSink.objects.get(account=acme)
    later = timezone.now() + timedelta(seconds=10)
    AuditSink.objects.update(failures=2, last_error="it answered with status 503", due_at=later)
    page = browser.get(AUDIT).content.decode()
    assert f"Taken up to entry {sink.cursor} of {sink.cursor + 1}" in page
    assert "2 failures in a row: it answered with status 503." in page
    AuditSink.objects.update(failures=0, last_error="", cursor=sink.cursor + 1, delivered_at=timezone.now())
    page = browser.get(AUDIT).content.decode()
    assert "Up to date" in page
    assert "failures in a row" not in page


def test_a_url_that_is_none_is_refused_in_the_form(signed_in: SignedIn, alice: User) -> None:
    answer = signed_in(alice).post(f"{AUDIT}/sink", {"url": "https://user:pw@collector.example/"})
    assert answer.status_code == 422
    assert "This has to be an https URL" in answer.content.decode()
    assert not AuditSink.objects.exists()


def test_it_is_stopped_after_asking(signed_in: SignedIn, alice: User) -> None:
    browser = signed_in(alice)
    browser.post(f"{AUDIT}/sink", {"url": URL})
    assert "Stop sending to collector.example?" in browser.get(f"{AUDIT}/sink/remove").content.decode()
    assert AuditSink.objects.exists()
    assert browser.post(f"{AUDIT}/sink/remove")["Location"] == AUDIT
    assert not AuditSink.objects.exists()
    assert browser.post(f"{AUDIT}/sink/remove").status_code == 404


def test_an_auditor_sees_where_it_goes_and_changes_nothing(
    signed_in: SignedIn, alice: User, auditor: User
) -> None:
    signed_in(alice).post(f"{AUDIT}/sink", {"url": URL})
    page = signed_in(auditor).get(AUDIT).content.decode()
    assert "Sent on to collector.example" in page
    assert f'href="{AUDIT}/sink' not in page
