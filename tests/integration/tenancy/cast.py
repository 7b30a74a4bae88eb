"""People and organisations of the tests: Alice owns Acme, where Adam is admin and Vera looks; Mallory is a
stranger with an organisation of her own."""

from dataclasses import dataclass

from apps.audit.models import ActorKind, AuditEntry
from apps.audit.services import Actor
from apps.identity.models import User
from apps.tenancy.access import Access, access_for
from apps.tenancy.models import Account, Environment, Membership, Role
from apps.tenancy.services.accounts import account_create


def person(name: str) -> User:
    return User.objects.create_user(f"{name}@example.com", name=name.title())


def as_actor(user: User) -> Actor:
    return Actor(
        ActorKind.USER, str(user.id), user.email, ip="192.0.2.7", user_agent="tests", request_id="r1"
    )


def join(account: Account, user: User, role: Role, *environments: Environment) -> Membership:
    membership = Membership.objects.create(
        account=account, user=user, role=role, is_restricted=bool(environments)
    )
    membership.environments.set(environments)
    return membership


@dataclass
class Cast:
    alice: User
    adam: User
    vera: User
    mallory: User
    acme: Account
    other: Account

    def access(self, user: User, environment: str | None = None) -> Access:
        return access_for(user, self.acme.slug, environment)

    def membership(self, user: User) -> Membership:
        return self.acme.memberships.get(user=user)

    def environment(self, slug: str) -> Environment:
        return self.acme.environments.get(slug=slug)

    def trail(self, account: Account | None = None) -> list[str]:
        """The actions of the account's log since the cast stood."""
        entries = AuditEntry.objects.filter(account_id=(account or self.acme).id).order_by("number")
        return [entry.action for entry in entries][1:]

    def last_entry(self) -> AuditEntry:
        return AuditEntry.objects.filter(account_id=self.acme.id).order_by("-number")[0]


def make_cast() -> Cast:
    alice, adam, vera, mallory = (person(name) for name in ("alice", "adam", "vera", "mallory"))
    acme = account_create(name="Acme", owner=alice, actor=as_actor(alice))
    other = account_create(name="Mallory's", owner=mallory, actor=as_actor(mallory))
    join(acme, adam, Role.ADMIN)
    join(acme, vera, Role.VIEWER)
    return Cast(alice, adam, vera, mallory, acme, other)
