"""`POST /e/<key>` of a webhook: what goes in, what comes out, and each answer (spec 05, 2.5)."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
import redis
from asgiref.sync import sync_to_async
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.audit.services import SYSTEM
from apps.credentials.models import FilterMode
from apps.credentials.process import process_resolver
from apps.engine.store.client import RedisClient
from apps.tenancy.models import Account, AccountStatus, Environment
from apps.tenancy.services.branches import branch_resolve
from apps.webhooks.choices import Outcome
from apps.webhooks.services.webhooks import webhook_delete, webhook_set_filters, webhook_set_scripts
from tests.integration.credentials.world import Organisation, event_key
from tests.integration.webhooks.conftest import MAX_BYTES
from tests.integration.webhooks.streams import stored
from tests.integration.webhooks.world import ECHO, NAMED, Hook, bodies, counts, hook, last_delivery

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FORM = "application/x-www-form-urlencoded"


async def production(org: Organisation) -> Environment:
    return await sync_to_async(lambda: org.production)()


async def test_a_delivery_becomes_an_event(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    environment = await production(acme)
    found = await hook(environment)
    body = b'{"a": [1, "x"]}'
    headers = {"content-type": "application/json", "X-GitHub-Event": "push"}
    answer = await web.post(f"{found.url}?tag=a&tag=b", content=body, headers=headers)
    [entry] = stored(redis_client)
    assert (answer.status_code, answer.json()) == (200, {"ids": [entry.internal_id], "status": 200})
    assert answer.headers["content-type"] == "application/json"
    assert (entry.env_id, entry.account_id) == (str(environment.id), str(acme.account.id))
    assert (entry.name, entry.context.source, entry.context.remember) == ("in/echo", "webhook", False)
    assert entry.sender == f"webhook:{found.webhook.id}"
    [event] = bodies(redis_client)
    data = event["data"]
    assert (data["evt"], data["queryParams"], data["raw"]) == (
        {"a": [1, "x"]},
        {"tag": ["a", "b"]},
        body.decode(),
    )
    assert data["headers"]["X-Github-Event"] == "push"
    meta = event["meta"]["webhook"]
    assert (meta["id"], meta["verified"]) == (str(found.webhook.id), False)
    assert "scheme" not in meta


@pytest.mark.parametrize(
    ("content_type", "body", "evt"),
    [
        ("application/json; charset=utf-8", b"[1,2]", [1, 2]),
        (FORM, b"a=1&a=2&b=x+y", {"a": ["1", "2"], "b": ["x y"]}),
        (FORM, b'{"json":true}', {"json": True}),
        ("text/plain", b"hello", {}),
        ("application/octet-stream", b"\x00\x01", {}),
    ],
)
async def test_content_types(
    web: httpx.AsyncClient,
    acme: Organisation,
    redis_client: redis.Redis,
    content_type: str,
    body: bytes,
    evt: object,
) -> None:
    found = await hook(await production(acme))
    answer = await web.post(found.url, content=body, headers={"content-type": content_type})
    assert answer.status_code == 200
    [event] = bodies(redis_client)
    assert (event["data"]["evt"], event["data"]["raw"]) == (evt, body.decode())


async def test_multipart(web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis) -> None:
    found = await hook(await production(acme))
    answer = await web.post(found.url, data={"a": ["1", "2"], "b": "x"}, files={"f": ("f.txt", b"content")})
    assert answer.status_code == 200
    [event] = bodies(redis_client)
    assert event["data"]["evt"] == {"a": ["1", "2"], "b": ["x"]}


async def test_several_events(web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis) -> None:
    script = (
        "const transform = ({items}) => items.map(i => ({name: 'item/' + i, data: {i}, id: 'own-' + i}));"
    )
    found = await hook(await production(acme), script)
    answer = await web.post(found.url, json={"items": [1, 2, 3]})
    entries = stored(redis_client)
    assert answer.json() == {"ids": [entry.internal_id for entry in entries], "status": 200}
    assert [(entry.name, entry.context.remember) for entry in entries] == [
        ("item/1", True),
        ("item/2", True),
        ("item/3", True),
    ]


async def test_null_drops(web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis) -> None:
    found = await hook(await production(acme), "const transform = () => null;")
    answer = await web.post(found.url, json={})
    assert (answer.status_code, answer.json()) == (200, {"ids": [], "status": 200})
    assert stored(redis_client) == []
    assert await counts(found) == {"dropped": 1}


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("function transform(e) {\n return e.a.b; }", "TypeError: Cannot read properties of undefined"),
        ("function transform() { return {}; }", "the event has no name"),
        (
            "function transform() { return [{name: 'a', data: {}}, {name: 'b'}]; }",
            "event 2: the event has no data",
        ),
        ("function transform() { return {name: 'inngest/x', data: {}}; }", "reserved for internal use"),
        ("function transform() { return 7; }", "the result is not an event"),
        ("function transform(e) { if (e.go) for (;;); }", "the script took longer than 500 ms"),
    ],
)
async def test_a_transform_that_fails(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, script: str, error: str
) -> None:
    found = await hook(await production(acme), script)
    answer = await web.post(found.url, json={"go": 1})
    assert (answer.status_code, answer.json()["ids"], answer.json()["status"]) == (400, [""], 400)
    assert answer.json()["error"].startswith("Webhook transform failed: ")
    assert error in answer.json()["error"]
    assert stored(redis_client) == []
    delivery = await last_delivery(found)
    assert (delivery.outcome, delivery.status, delivery.error) == (
        Outcome.FAILED,
        400,
        answer.json()["error"],
    )


@pytest.mark.parametrize("body", [b"{", b"\xff", b"nonsense"])
async def test_json_that_is_none(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis, body: bytes
) -> None:
    found = await hook(await production(acme))
    answer = await web.post(found.url, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert stored(redis_client) == []
    assert await counts(found) == {"refused": 1}


async def test_the_body_is_bounded(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await production(acme), "const transform = () => ({name: 'a', data: {}});")
    assert (await web.post(found.url, content=b"x" * MAX_BYTES)).status_code == 200
    too_large = await web.post(found.url, content=b"x" * (MAX_BYTES + 1))
    assert (too_large.status_code, len(stored(redis_client))) == (413, 1)

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1000

    assert (await web.post(found.url, content=parts())).status_code == 413


async def test_the_body_is_bounded_by_the_account(web: httpx.AsyncClient, acme: Organisation) -> None:
    await sync_to_async(Account.objects.filter(id=acme.account.id).update)(entitlements={"event_bytes": 100})
    found = await hook(await production(acme))
    assert (await web.post(found.url, content=b"x" * 101)).status_code == 413


async def test_the_filter_is_for_names_of_the_transform(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await production(acme), NAMED)
    await sync_to_async(webhook_set_filters)(
        webhook=found.webhook, mode=FilterMode.ALLOW, events=["orders/*"], ips=[], actor=SYSTEM
    )
    assert (await web.post(found.url, json={"type": "orders/paid"})).status_code == 200
    refused = await web.post(found.url, json={"type": "users/new"})
    assert (refused.status_code, refused.json()["ids"]) == (403, [""])
    assert [entry.name for entry in stored(redis_client)] == ["orders/paid"]
    assert (await last_delivery(found)).outcome == Outcome.FILTERED


async def test_of_several_events_the_denied_ones_are_named(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    script = "const transform = (e) => e.names.map(name => ({name, data: {}}));"
    found = await hook(await production(acme), script)
    await sync_to_async(webhook_set_filters)(
        webhook=found.webhook, mode=FilterMode.DENY, events=["b"], ips=[], actor=SYSTEM
    )
    answer = await web.post(found.url, json={"names": ["a", "b", "c"]})
    assert (answer.status_code, [error["index"] for error in answer.json()["errors"]]) == (200, [1])
    assert answer.json()["ids"] == [entry.internal_id for entry in stored(redis_client)]
    assert [entry.name for entry in stored(redis_client)] == ["a", "c"]


async def test_the_filter_is_for_addresses_too(web: httpx.AsyncClient, acme: Organisation) -> None:
    found = await hook(await production(acme))
    for ips, status in ((["203.0.113.0/24"], 200), (["198.51.100.1"], 403)):
        await sync_to_async(webhook_set_filters)(
            webhook=found.webhook, mode=FilterMode.ALLOW, events=[], ips=ips, actor=SYSTEM
        )
        process_resolver_forget(acme)
        assert (await web.post(found.url, json={})).status_code == status


def process_resolver_forget(org: Organisation) -> None:
    """As the listener does on the announcement, which these tests have none of."""
    process_resolver().cache.forget_account(org.account.id)


async def test_branches_by_header_and_query(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    parent = await sync_to_async(lambda: acme.branches)()
    branch = await sync_to_async(branch_resolve)(
        parent=parent, name="Feature", may_create=True, unarchives=False
    )
    found = await hook(parent, "const transform = () => ({name: 'a', data: {}});")
    for query, headers in [
        ("?x-inngest-env=feature", {}),
        ("", {"x-inngest-env": "FEATURE"}),
        ("?X-Inngest-Env=Feature", {}),
        ("", {}),
        ("?x-inngest-env=unknown", {}),
    ]:
        assert (await web.post(found.url + query, json={}, headers=headers)).status_code == 200
    assert [entry.env_id for entry in stored(redis_client)] == [str(branch.id)] * 3 + [str(parent.id)] * 2
    assert await sync_to_async(lambda: acme.account.environments.filter(parent=parent).count())() == 1


async def test_environments_are_apart(
    web: httpx.AsyncClient, acme: Organisation, globex: Organisation, redis_client: redis.Redis
) -> None:
    first, second = await production(acme), await production(globex)
    ours, theirs = await hook(first, NAMED), await hook(second, NAMED)
    await web.post(ours.url, json={"type": "a"})
    await web.post(theirs.url, json={"type": "b"})
    assert [(entry.env_id, entry.name) for entry in stored(redis_client)] == [
        (str(first.id), "a"),
        (str(second.id), "b"),
    ]
    assert (await counts(ours), await counts(theirs)) == ({"accepted": 1}, {"accepted": 1})


async def test_keys_that_nobody_knows(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await production(acme))
    unknown = found.url[:-3] + "xyz"
    assert (await web.post(unknown, json={})).status_code in (401, 404)
    await sync_to_async(webhook_delete)(webhook=found.webhook, actor=SYSTEM)
    assert (await web.post(found.url, json={})).status_code in (401, 404)
    assert stored(redis_client) == []


async def test_a_suspended_account(web: httpx.AsyncClient, acme: Organisation) -> None:
    found = await hook(await production(acme))
    await sync_to_async(Account.objects.filter(id=acme.account.id).update)(status=AccountStatus.SUSPENDED)
    assert (await web.post(found.url, json={})).status_code == 403


async def test_event_keys_do_as_before(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    key = await sync_to_async(lambda: event_key(acme.production))()
    assert (await web.post(f"/e/{key}", json={"name": "a"})).status_code == 200
    assert (await web.get(f"/e/{key}")).status_code == 405
    [entry] = stored(redis_client)
    assert (entry.name, entry.context.source) == ("a", "api")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods(web: httpx.AsyncClient, acme: Organisation, method: str) -> None:
    found = await hook(await production(acme))
    answer = await web.request(method, found.url)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


CHALLENGE = """
function respond(body, headers, queryParams) {
  if (queryParams["hub.challenge"]) return {body: queryParams["hub.challenge"][0]};
  if (body.type === "url_verification") return {status: 200, body: {challenge: body.challenge}};
  return null;
}
"""


async def test_a_challenge_by_get(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await production(acme), respond=CHALLENGE)
    answer = await web.get(f"{found.url}?hub.challenge=42")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "42", "text/plain")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert (await web.get(found.url)).status_code == 405
    assert stored(redis_client) == []


async def test_a_challenge_by_post(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await production(acme), NAMED, respond=CHALLENGE)
    asked = await web.post(found.url, json={"type": "url_verification", "challenge": "c"})
    assert (asked.status_code, asked.json()) == (200, {"challenge": "c"})
    assert stored(redis_client) == []
    assert (await web.post(found.url, json={"type": "a"})).status_code == 200
    assert [entry.name for entry in stored(redis_client)] == ["a"]


async def test_a_changed_script_counts(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await production(acme), "const transform = () => ({name: 'old', data: {}});")
    await sync_to_async(webhook_set_scripts)(
        webhook=found.webhook, transform="const transform = () => ({name: 'new', data: {}});", actor=SYSTEM
    )
    await web.post(found.url, json={})
    assert [entry.name for entry in stored(redis_client)] == ["new"]


async def test_dev_mode_knows_webhooks_by_their_key(
    dev_web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    environment = await production(acme)
    found = await hook(environment, NAMED)
    assert (await dev_web.post(found.url, json={"type": "a"})).status_code == 200
    assert (await dev_web.post("/e/any-key", json={"name": "b"})).status_code == 200
    assert (await dev_web.post(f"/e/{'x' * 86}", json={"name": "c"})).status_code == 200
    assert [(entry.name, entry.context.source) for entry in stored(redis_client)] == [
        ("a", "webhook"),
        ("b", "api"),
        ("c", "api"),
    ]
    assert stored(redis_client)[0].env_id == str(environment.id)


async def test_without_redis_the_producer_comes_again(
    web: httpx.AsyncClient, acme: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*args: object) -> object:
        raise TimeoutError("no answer")

    found = await hook(await production(acme), NAMED)
    monkeypatch.setattr(RedisClient, "execute", down)
    answer = await web.post(found.url, json={"type": "a"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert await counts(found) == {"refused": 1}


async def test_the_rate_of_the_account(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    limits = {"ingest_per_second": 1}
    await sync_to_async(Account.objects.filter(id=acme.account.id).update)(entitlements=limits)
    found = await hook(await production(acme), NAMED)
    statuses = [(await web.post(found.url, json={"type": "a"})).status_code for _ in range(5)]
    assert statuses[0] == 200
    assert 429 in statuses
    assert len(stored(redis_client)) == statuses.count(200)


HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "x-a", "traceparent", "content-encoding", "x-inngest-env"]),
    st.sampled_from(
        ["application/json", FORM, "multipart/form-data; boundary=x", "text/x", "gzip", "\xe9", "", "x" * 99]
    ),
)


@given(st.binary(max_size=200), HEADERS, st.text(max_size=30))
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_no_request_is_a_server_error(
    web: httpx.AsyncClient, acme: Organisation, body: bytes, headers: dict[str, str], query: str
) -> None:
    found = await _hook_once(acme)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await web.post(found.url, params={"q": query}, content=body, headers=raw)
    assert answer.status_code in (200, 400, 413, 415), answer.text
    if answer.status_code == 200:
        assert len(answer.json()["ids"]) == 1


_hooks: dict[UUID, Hook] = {}


async def _hook_once(org: Organisation) -> Hook:
    """Hypothesis runs many examples in one test."""
    if org.account.id not in _hooks:
        _hooks[org.account.id] = await hook(await production(org), ECHO)
    return _hooks[org.account.id]


async def test_a_query_with_too_many_fields(web: httpx.AsyncClient, acme: Organisation) -> None:
    found = await hook(await production(acme))
    many = "&".join(f"a{number}=1" for number in range(300))
    assert (await web.post(f"{found.url}?{many}", json={})).status_code == 400
    assert (await web.post(f"{found.url}?{many}&x-inngest-env=a", json={})).status_code == 400


async def test_a_traced_delivery(
    web: httpx.AsyncClient, acme: Organisation, redis_client: redis.Redis
) -> None:
    found = await hook(await production(acme), NAMED)
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await web.post(found.url, json={"type": "a"}, headers={"traceparent": parent})
    assert stored(redis_client)[0].context.trace_parent == parent
    assert json.loads(stored(redis_client)[0].body)["name"] == "a"
