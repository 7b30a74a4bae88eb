"""The live connection: subscribing, hints, coalescing, refusals."""

from collections.abc import AsyncIterator, Iterator

import pytest
from channels.layers import channel_layers, get_channel_layer
from pytest_django.fixtures import Settings

from apps.realtime.topics import runs_topic
from apps.tenancy.models import DEV_ENVIRONMENT_ID
from tests.integration.dashboard.tab import Tab

RUNS = runs_topic(DEV_ENVIRONMENT_ID)
HOST = (b"host", b"stepwell.test")

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def layer_in_memory(settings: Settings) -> Iterator[None]:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    channel_layers.backends = {}
    yield
    channel_layers.backends = {}


@pytest.fixture
async def tab(layer_in_memory: None) -> AsyncIterator[Tab]:
    connection = Tab([HOST, (b"origin", b"http://stepwell.test")])
    assert (await connection.connect())["type"] == "websocket.accept"
    yield connection
    await connection.disconnect()


async def subscribe(tab: Tab, *topics: str) -> dict[str, list[str]]:
    await tab.send({"subscribe": topics})
    return await tab.receive()


async def publish(group: str, run_id: str) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(group, {"type": "hint", "run_id": run_id, "version": 1})


async def test_topics_are_joined_or_refused(tab: Tab) -> None:
    foreign = "runs.00000000-0000-4000-b000-000000000009"
    answer = await subscribe(tab, RUNS, "run.01J", foreign, "nonsense")
    assert answer == {"subscribed": [RUNS, "run.01J"], "refused": [foreign, "nonsense"]}


async def test_hints_of_one_moment_are_one_message(tab: Tab) -> None:
    await subscribe(tab, RUNS, "run.01J")
    for number in range(20):
        await publish(RUNS, f"R{number}")
    await publish("run.01J", "01J")
    assert await tab.receive() == {"changed": ["run.01J", RUNS]}
    assert await tab.hears_nothing(0.4)


async def test_a_run_hears_only_of_itself(tab: Tab) -> None:
    await subscribe(tab, "run.01J")
    await publish(RUNS, "01J")
    await publish("run.01K", "01K")
    assert await tab.hears_nothing(0.4)
    await publish("run.01J", "01J")
    assert await tab.receive() == {"changed": ["run.01J"]}


async def test_after_leaving_nothing_is_heard(tab: Tab) -> None:
    await subscribe(tab, RUNS)
    await tab.send({"unsubscribe": [RUNS], "subscribe": ["run.01J"]})
    assert (await tab.receive())["subscribed"] == ["run.01J"]
    await publish(RUNS, "01K")
    assert await tab.hears_nothing(0.4)


async def test_a_tab_holds_a_limited_number_of_topics(tab: Tab) -> None:
    answer = await subscribe(tab, *(f"run.R{number}" for number in range(60)))
    assert (len(answer["subscribed"]), len(answer["refused"])) == (50, 10)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"subscribe": "run.01J"}', '{"subscribe": [1]}', " " * 9000]
)
async def test_a_message_that_makes_no_sense_ends_the_connection(tab: Tab, text: str) -> None:
    await tab.send_text(text)
    assert await tab.receive_raw() == {"type": "websocket.close", "code": 4400}


async def test_another_sites_page_is_refused(layer_in_memory: None) -> None:
    connection = Tab([HOST, (b"origin", b"http://evil.example")])
    assert await connection.connect() == {"type": "websocket.close", "code": 4403}
