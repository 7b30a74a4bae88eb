"""From nothing to a first finished run: what to do next, told by what has happened already (spec 05, 6.1)."""

from dataclasses import dataclass, field

from django.conf import settings
from django.urls import reverse

from apps.credentials.models import SigningKeyState
from apps.credentials.selectors import event_key_for_sending, signing_keys
from apps.dashboard.gates import Gate, gate_of
from apps.dashboard.pages.event_keys import event_key_secret
from apps.dashboard.pages.signing_key import signing_key_secret
from apps.dashboard.places import organisation_url
from apps.dashboard.secrets import Masked
from apps.dashboard.snippets import ExampleApp, Snippet, example_apps, send_snippet
from apps.events.models import Event
from apps.registry.selectors import apps_qs
from apps.runs.choices import RunStatus
from apps.runs.models import Run
from apps.tenancy.access import Access
from apps.tenancy.models import Environment, EnvironmentType
from apps.tenancy.permissions import Permission


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """`branch` is the name of a branch, or a hint at one; empty where an app need not name any.
    `reaches_local` says whether this server calls apps on its own machine and in its own network."""

    place: str
    origin: str
    event_key: Masked | None
    signing_key: Masked | None
    branch: str
    app_name: str
    has_event: bool
    run_url: str
    has_finished: bool
    sync_gate: Gate
    send_gate: Gate
    sync_url: str
    send_url: str
    keys_url: str
    members_url: str
    environments_url: str
    reaches_local: bool
    event: Snippet
    examples: list[ExampleApp] = field(default_factory=example_apps)

    @property
    def current(self) -> int:
        """The number of the step that comes next; 5 once all are done."""
        done = (bool(self.app_name), self.has_event, self.has_finished)
        return next((number for number, is_done in enumerate(done, start=2) if not is_done), 5)


def first_steps(access: Access, environment: Environment, origin: str) -> FirstSteps:
    app = apps_qs(environment.id).exclude(name="").first()
    runs = Run.objects.filter(environment_id=environment.id)
    finished = runs.filter(status=RunStatus.COMPLETED).order_by("queued_at").first()
    run = finished or runs.order_by("queued_at").first()
    event_key, signing_key = _keys(access, environment)
    return FirstSteps(
        place=environment.name,
        origin=origin,
        event_key=event_key,
        signing_key=signing_key,
        branch=_branch(environment),
        app_name=app.name if app else "",
        has_event=run is not None or Event.objects.filter(environment_id=environment.id).exists(),
        run_url=reverse("dashboard:run", args=[run.run_id]) if run else "",
        has_finished=finished is not None,
        sync_gate=gate_of(access, Permission.APP_SYNC),
        send_gate=gate_of(access, Permission.EVENT_SEND),
        sync_url=reverse("dashboard:app-add", query={"from": "start"}),
        send_url=reverse("dashboard:event-send"),
        keys_url=reverse("dashboard:event-keys"),
        members_url=organisation_url(access.account, "members"),
        environments_url=organisation_url(access.account, "environments"),
        reaches_local=settings.STEPWELL_ALLOW_PRIVATE_NETWORKS,
        event=send_snippet(origin),
    )


def _keys(access: Access, environment: Environment) -> tuple[Masked | None, Masked | None]:
    """A branch has none of its own: the page of its keys leads to its parent's."""
    if environment.parent_id is not None:
        return None, None
    event_key = event_key_for_sending(environment)
    active = next((key for key in signing_keys(environment) if key.state == SigningKeyState.ACTIVE), None)
    return (
        event_key_secret(access, event_key) if event_key else None,
        signing_key_secret(access, active) if active else None,
    )


def _branch(environment: Environment) -> str:
    if environment.type == EnvironmentType.BRANCH_CHILD:
        return environment.name
    return "the name of your branch" if environment.type == EnvironmentType.BRANCH_PARENT else ""
