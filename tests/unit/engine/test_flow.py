"""What the flow control settings of a function mean for one event (spec 02: 2.8, 3.2, 3.7, 4)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.flow import admission
from apps.engine.flow.admission import Flow, Rate, encode_flow
from apps.engine.flow.keys import KeyReader, digest, evaluate_key
from apps.engine.flow.leaves import find_leaf, key_version
from apps.engine.flow.limits import node_limits, throttle_times
from apps.engine.flow.policy import FlowPolicy
from apps.engine.functions import (
    Batch,
    ConcurrencyLimit,
    FunctionSpec,
    RateLimit,
    RunConcurrencyLimit,
    Singleton,
    Throttle,
)

POLICY = FlowPolicy()


def function(**settings: Any) -> FunctionSpec:
    return FunctionSpec("fn", "app-fn", "fn", "app", "app", "env", "acc", 1, "http://app/", **settings)


def reader(**data: object) -> KeyReader:
    return KeyReader(lambda: {"name": "e", "data": data})


def limited(*rules: ConcurrencyLimit) -> FunctionSpec:
    return function(concurrency=rules)


USER = ConcurrencyLimit(5, "event.data.user")


def test_a_function_without_keys_has_no_leaf() -> None:
    spec = limited(ConcurrencyLimit(5))
    assert (key_version(spec), find_leaf(spec, reader()), admission.needs_flow(spec)) == ("", None, False)


def test_runs_with_equal_keys_share_a_leaf() -> None:
    spec = limited(USER)
    assert find_leaf(spec, reader(user="a")) == find_leaf(spec, reader(user="a", other=1))
    assert find_leaf(spec, reader(user="a")) != find_leaf(spec, reader(user="b"))


def test_a_number_and_its_text_share_a_leaf() -> None:
    assert find_leaf(limited(USER), reader(user=5)) == find_leaf(limited(USER), reader(user="5"))


def test_the_buckets_of_a_leaf() -> None:
    spec = function(
        concurrency=(USER, ConcurrencyLimit(9, "'openai'", "account"), ConcurrencyLimit(3)),
        throttle=Throttle(1, 1_000, 0, "event.data.user"),
        run_concurrency=(RunConcurrencyLimit(2), RunConcurrencyLimit(2, "event.data.user")),
    )
    leaf = find_leaf(spec, reader(user="a"))
    assert leaf is not None
    assert leaf.gates.split(" ") == [
        f"c:f:fn:{digest('event.data.user', 'a')}",
        f"c:a:acc:{digest('openai')}",
        f"t:fn:{digest('a')}",
        "r:fn:0:",
        f"r:fn:1:{digest('a')}",
    ]
    assert leaf.name == f"k:fn:{digest(leaf.version, leaf.gates)}"


def test_functions_with_other_expressions_share_the_bucket_of_an_environment() -> None:
    one = find_leaf(limited(ConcurrencyLimit(5, "event.data.a", "env")), reader(a="x", b="x"))
    other = find_leaf(limited(ConcurrencyLimit(2, "event.data.b", "env")), reader(a="x", b="x"))
    assert one is not None
    assert other is not None
    assert one.gates == other.gates == f"c:e:env:{digest('x')} - - - -"


@pytest.mark.parametrize(
    ("data", "text"), [({}, "false"), ({"user": None}, "<nil>"), ({"user": [1, "a"]}, "[1 a]")]
)
def test_values_that_are_no_text(data: dict[str, object], text: str) -> None:
    key = evaluate_key("event.data.user", {"data": data})
    assert (key.text, key.problem) == (text, "")


def test_a_key_that_fails_shares_a_bucket_and_is_told() -> None:
    keys = reader(user="a")
    key = keys.read("throttle", "event.data.user - 1")
    assert (key.kind, key.text) == ("error", "<invalid>")
    assert keys.problems == ["throttle key event.data.user - 1: cannot be evaluated"]


def test_keys_for_people_are_cut_short() -> None:
    keys = reader(user="x" * 1_000)
    keys.read("concurrency", "event.data.user")
    assert keys.shown == [("concurrency", "event.data.user", "x" * 256)]


def test_the_version_of_the_keys_follows_expressions_and_scopes_not_limits() -> None:
    assert key_version(limited(USER)) == key_version(limited(ConcurrencyLimit(7, "event.data.user")))
    others = [
        limited(ConcurrencyLimit(5, "event.data.org")),
        limited(ConcurrencyLimit(5, "event.data.user", "env")),
        limited(USER, USER),
        function(throttle=Throttle(1, 1_000)),
        function(run_concurrency=(RunConcurrencyLimit(1),)),
        limited(),
    ]
    assert len({key_version(spec) for spec in [limited(USER), *others]}) == 7


def test_a_key_with_a_limit_of_nothing_counts_as_absent() -> None:
    assert key_version(limited(ConcurrencyLimit(0, "event.data.user"))) == ""


def test_what_a_node_holds() -> None:
    spec = function(
        concurrency=(ConcurrencyLimit(8), ConcurrencyLimit(4), USER),
        throttle=Throttle(3, 1_000, 2),
        run_concurrency=(RunConcurrencyLimit(6),),
        drained=True,
    )
    limits = node_limits(spec)
    assert limits == [4, "", "1", key_version(spec), 5, "", "333.3333333333333", "1666.6666666666665", 6, ""]


def test_what_the_node_of_a_plain_function_holds() -> None:
    assert node_limits(function()) == [""] * 10


@given(st.integers(1, 10_000), st.integers(1, 604_800_000), st.integers(0, 100))
def test_a_throttle_lets_limit_and_burst_through_at_once(limit: int, period: int, burst: int) -> None:
    interval, tolerance = throttle_times(Throttle(limit, period, burst))
    assert interval == pytest.approx(period / limit)
    assert tolerance / interval == pytest.approx(limit + burst)


def rate(spec: FunctionSpec, keys: KeyReader, mode: str = "window") -> Rate | None:
    return admission.rate_of(spec, keys, FlowPolicy(rate_limit_mode=mode))


def test_a_rate_limit_without_a_key_is_the_functions() -> None:
    assert rate(function(rate_limit=RateLimit(20, 60_000)), reader()) == Rate("fn", 20, 60_000)


def test_a_rate_limit_in_gcra_mode_has_a_burst_of_a_tenth() -> None:
    assert rate(function(rate_limit=RateLimit(29, 60_000)), reader(), "gcra") == Rate("fn", 29, 60_000, 2)


@pytest.mark.parametrize("data", [{}, {"k": False}, {"k": "false"}])
def test_a_rate_limit_that_does_not_concern_the_event(data: dict[str, object]) -> None:
    assert rate(function(rate_limit=RateLimit(1, 60_000, "event.data.k")), reader(**data)) is None


def test_a_rate_limit_of_nothing_at_all_is_a_bucket() -> None:
    limit = rate(function(rate_limit=RateLimit(1, 60_000, "event.data.k")), reader(k=None))
    assert limit is not None
    assert limit.bucket == f"fn:{digest('<nil>')}"


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("120", 120),
        ("event.data.p", 90),  # a double: cut towards zero
        ("-event.data.p", -90),
        ("event.data.p > 5.0 ? 600 : 0", 600),
        ("100000", 600),
        ("-100000", -600),
        ("event.data.text", 0),
        ("event.data.p > 5.0", 0),
        ("event.data.missing", 0),
        ("event.data.text + 1", 0),
    ],
)
def test_priorities(expression: str, seconds: int) -> None:
    keys = reader(p=90.9, text="high")
    assert admission.priority_ms(function(priority=expression), keys, POLICY) == seconds * 1_000


def test_an_operator_may_let_priorities_move_further() -> None:
    policy = FlowPolicy(priority_seconds=43_200)
    assert admission.priority_ms(function(priority="100000"), reader(), policy) == 43_200_000


@pytest.mark.parametrize(("data", "lock"), [({"k": "a"}, f"fn:{digest('a')}"), ({}, ""), ({"k": False}, "")])
def test_the_lock_of_a_singleton(data: dict[str, object], lock: str) -> None:
    assert admission.lock_of(function(singleton=Singleton("skip", "event.data.k")), reader(**data)) == lock


def test_a_singleton_without_a_key_is_the_functions() -> None:
    flow = Flow()
    admission.plan_queueing(flow, function(singleton=Singleton("cancel")), reader(), POLICY)
    assert flow == Flow(lock="fn", lock_mode="cancel")


@pytest.mark.parametrize(
    ("condition", "is_batched"),
    [("", True), ("event.data.big", True), ("!event.data.big", False), ("event.data.text + 1", False)],
)
def test_which_events_are_batched(condition: str, is_batched: bool) -> None:
    spec = function(batch=Batch(2, 1_000, condition=condition))
    assert admission.is_batched(spec, reader(big=True, text="x")) is is_batched


def test_an_event_is_decoded_once_and_only_when_asked_for() -> None:
    decoded: list[int] = []

    def event() -> dict[str, Any]:
        decoded.append(1)
        return {"data": {"user": "a"}}

    find_leaf(function(throttle=Throttle(1, 1_000)), KeyReader(event))
    assert decoded == []
    keys = KeyReader(event)
    find_leaf(function(concurrency=(USER,), throttle=Throttle(1, 1_000, 0, "event.name")), keys)
    assert decoded == [1]


def test_no_flow_control_is_an_empty_argument() -> None:
    assert encode_flow(None) == encode_flow(Flow()) == b""
    assert msgspec.msgpack.decode(encode_flow(Flow(lock="fn", rate=Rate("b", 1, 2)))) == {
        "lock": "fn",
        "rate": {"bucket": "b", "limit": 1, "period": 2},
    }


@given(st.text(max_size=20), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_key_raises(expression: str, value: object) -> None:
    key = evaluate_key(expression, {"data": {"v": value}})
    key.text.encode()
    assert isinstance(key.digest, str)
