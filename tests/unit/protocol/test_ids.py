import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ulid_transform import ulid_to_bytes

from apps.engine.protocol.ids import (
    Seed,
    UlidGenerator,
    entry_ulid,
    is_ulid,
    new_ulid,
    parse_seed,
    seeded_ulid,
    ulid_time_ms,
)

MS = 1_795_438_400_700
HEADER = "1795438400700,HcP7tNnaYWED8Q=="


def test_the_time_is_in_the_id() -> None:
    assert ulid_time_ms(UlidGenerator().next(MS)) == MS


def test_ids_of_one_millisecond_rise_in_the_upper_random_bits() -> None:
    generator = UlidGenerator(random.Random(1))
    values = [int.from_bytes(ulid_to_bytes(generator.next(MS)), "big") for _ in range(50)]
    assert [value >> 40 for value in values] == list(range(values[0] >> 40, (values[0] >> 40) + 50))
    assert len({value & (2**40 - 1) for value in values}) == 50


def test_ids_rise_over_full_bits_and_small_clock_steps_back() -> None:
    class Full(random.Random):
        def getrandbits(self, k: int) -> int:
            return (1 << k) - 1

    generator = UlidGenerator(Full())
    ids = [generator.next(MS), generator.next(MS), generator.next(MS - 998)]
    assert [ulid_time_ms(made) for made in ids] == [MS, MS + 1, MS + 2]


def test_a_clock_set_back_far_is_followed() -> None:
    generator = UlidGenerator()
    generator.next(MS)
    assert ulid_time_ms(generator.next(MS - 5_000)) == MS - 5_000


@pytest.mark.parametrize("ms", [-5, 0, 2**48 - 1, 2**60])
def test_moments_that_an_id_cannot_hold_are_clamped(ms: int) -> None:
    generator = UlidGenerator()
    assert ulid_time_ms(generator.next(ms)) == min(max(ms, 0), 2**48 - 1)
    assert is_ulid(generator.next(ms))


def test_threads_never_share_an_id() -> None:
    generator = UlidGenerator()
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [generator.next(MS) for _ in range(500)], range(8)))
    assert len({made for batch in batches for made in batch}) == 4_000
    assert all(batch == sorted(batch) for batch in batches)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_does_not_repeat_its_parents_ids() -> None:
    new_ulid(MS)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_ulid(MS).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read()[10:18] != new_ulid(MS)[10:18]


def test_ids_of_entries_are_always_the_same_and_in_the_order_of_the_entries() -> None:
    entries = [f"{MS - 1}-7", f"{MS}-0", f"{MS}-1", f"{MS}-10", f"{MS}-65535", f"{MS + 1}-0"]
    made = [entry_ulid(entry, "function") for entry in entries]
    assert made == [entry_ulid(entry, "function") for entry in entries]
    assert made == sorted(set(made))
    assert [ulid_time_ms(one) for one in made] == [MS - 1, MS, MS, MS, MS, MS + 1]


def test_one_entry_has_an_id_for_each_purpose() -> None:
    beyond = f"{MS}-70000"
    assert entry_ulid(f"{MS}-0", "function") != entry_ulid(f"{MS}-0", "other function")
    assert entry_ulid(beyond, "function") != entry_ulid(f"{MS}-70001", "function")


def test_seeded_ids_are_those_of_the_specification() -> None:
    seed = parse_seed(HEADER)
    assert seed is not None
    assert seeded_ulid(seed, 1) == "01M847FN5W3Q1ZQD6SV9GP20ZJ"
    assert seeded_ulid(seed, 2) == "01M847FN5W3Q1ZQD6SV9GP20ZK"


def test_a_seed_wraps_within_its_last_four_bytes() -> None:
    seed = Seed(MS, b"\1" * 6 + b"\xff" * 4)
    assert seeded_ulid(seed, 1) == seeded_ulid(Seed(MS, b"\1" * 6 + b"\0" * 4), 0)


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "1795438400700",
        "1795438400700,",
        "1795438400700,HcP7tNna",
        "1795438400700,HcP7tNnaYWED8Q",
        "1795438400700,HcP7tNnaYWED8QAA",
        "1795438400700,HcP7tNnaYWED!Q==",
        "x,HcP7tNnaYWED8Q==",
        "-1,HcP7tNnaYWED8Q==",
        "1.5,HcP7tNnaYWED8Q==",
        "281474976710656,HcP7tNnaYWED8Q==",
        "٣,HcP7tNnaYWED8Q==",
    ],
)
def test_malformed_seeds_are_ignored(header: str) -> None:
    assert parse_seed(header) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("01M847FN5W3Q1ZQD6SV9GP20ZJ", True),
        ("01m847fn5w3q1zqd6sv9gp20zj", True),
        ("81M847FN5W3Q1ZQD6SV9GP20ZJ", False),
        ("01M847FN5W3Q1ZQD6SV9GP20Z", False),
        ("01M847FN5W3Q1ZQD6SV9GP20ZU", False),
        ("01M847FN5W3Q1ZQD6SV9GP20ZJ\n", False),
        ("", False),
    ],
)
def test_what_is_a_ulid(text: str, answer: bool) -> None:
    assert is_ulid(text) is answer


def test_the_time_of_something_else_is_refused() -> None:
    assert ulid_time_ms("01m847fn5w3q1zqd6sv9gp20zj") == MS
    with pytest.raises(ValueError, match="not a ULID"):
        ulid_time_ms("nothing")


@settings(deadline=None)
@given(st.text())
def test_no_text_breaks_the_parsers(text: str) -> None:
    assert isinstance(parse_seed(text), Seed | None)
    assert is_ulid(text) in (True, False)
