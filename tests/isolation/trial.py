"""The one trial of every page: who may ask for it, whose ids it knows, and that refusals change nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from apps.tenancy.models import EnvironmentType, Role
from apps.tenancy.permissions import Permission, permissions_of
from tests.isolation.cast import CAST_ROLES, Place, Stage
from tests.isolation.ghosts import ghost_of, without_ids
from tests.isolation.pages import Page
from tests.isolation.snapshot import Snapshot, undone
from tests.isolation.visitors import Visitor

LOG: Final = frozenset({"audit_auditentry", "audit_audithead"})
LOOKING: Final = (None, Permission.VIEW, Permission.DATA_READ)


@dataclass(frozen=True)
class Trial:
    """`url(ids, organisation)` is the page's address, with the ids of a place. `others` are the places of
    which it must know nothing."""

    name: str
    stage: Stage
    page: Page
    method: str
    place: Place
    others: Sequence[Place]
    environment_type: EnvironmentType | None
    url: Callable[[Place, str], str]

    def run(self, queue: "redis.Redis") -> None:
        """Leaves everything as it was."""
        try:
            with undone(queue):
                self._run(queue)
        except AssertionError as problem:
            problem.add_note(f"in the trial of {self.method} {self.name}")
            raise

    def _run(self, queue: "redis.Redis") -> None:
        before = Snapshot(queue)
        self._anonymous_are_led_to_sign_in()
        self._strangers_find_nothing()
        self._wrong_roles_are_told_what_they_lack()
        self._support_only_looks()
        self._ids_of_others_are_unknown()
        self._a_forged_form_is_refused()
        assert before.changes() <= (LOG if self.page.is_reading_recorded else set())
        self._the_right_one_gets_it(before)

    def _ask(self, visitor: Visitor, ids_of: Place, organisation: str = "acme") -> Any:
        return visitor.ask(self.method, self.url(ids_of, organisation), self.page.post)

    def _anonymous_are_led_to_sign_in(self) -> None:
        answer = self._ask(Visitor(), self.place)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/sign-in")

    def _strangers_find_nothing(self) -> None:
        """As in an organisation that does not exist."""
        stranger = Visitor(self.stage.people.mallory)
        refused, nowhere = self._ask(stranger, self.place), self._ask(stranger, self.place, "nowhere")
        assert (refused.status_code, nowhere.status_code) == (404, 404)
        assert without_ids(refused.content, self.place) == without_ids(nowhere.content, self.place)

    def _wrong_roles_are_told_what_they_lack(self) -> None:
        for role in self.wrong_roles():
            answer = self._ask(Visitor(self.stage.people.of_role(role)), self.place)
            needed = str(self.page.needed(self.method))
            assert (answer.status_code, needed in answer.content.decode()) == (403, True), role

    def wrong_roles(self) -> list[Role]:
        needed = self.page.needed(self.method)
        if needed is None:
            return []
        return [role for role in CAST_ROLES if needed not in permissions_of(role, self.environment_type)]

    def _support_only_looks(self) -> None:
        """An operator: nothing before the look has begun, then what is read, and never a change."""
        operator = Visitor(self.stage.people.oscar)
        assert self._ask(operator, self.place).status_code == 404
        answer = self._ask(operator.looks_into(self.stage.acme), self.place)
        if self.uses_membership:
            assert answer.status_code == 404
        elif self.page.needed(self.method) not in LOOKING:
            assert answer.status_code == 403
        elif self.method == "GET":
            assert answer.status_code in (200, 302)
        assert self._ask(operator.looks_into(self.stage.globex.account), self.place).status_code == 404

    @property
    def uses_membership(self) -> bool:
        """The pages of single sign-on are for members only."""
        return self.name.startswith("signin_")

    def _ids_of_others_are_unknown(self) -> None:
        """The answer to an id of another place is the answer to one that nobody has."""
        if not self.page.ids(self.place):
            return
        ghost, alice = ghost_of(self.place), Visitor(self.stage.people.alice)
        unknown = self._ask(alice, ghost)
        for other in self.others:
            answer = self._ask(alice, other)
            assert answer.status_code == unknown.status_code, (other.marker, answer.content[:500])
            assert without_ids(answer.content, other) == without_ids(unknown.content, ghost), other.marker

    def _a_forged_form_is_refused(self) -> None:
        """A form without the token of the page."""
        if self.method == "POST":
            answer = self._ask(Visitor(self.stage.people.alice, checks_csrf=True), self.place)
            assert answer.status_code == 403

    def _the_right_one_gets_it(self, before: Snapshot) -> None:
        answer = self._ask(Visitor(self.stage.people.alice), self.place)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        is_refused_form = self.method == "POST" and not self.page.changes and answer.status_code == 422
        assert answer.status_code in (200, 204, 302) or is_refused_form, (answer.status_code, content[:500])
        assert not [other.marker for other in self.others if other.marker.encode() in content]
        if self.method == "POST":
            assert (before.changes() != set()) == self.page.changes
        elif not self.page.is_reading_recorded:
            assert before.changes() == set()
