import pytest

from apps.realtime.origin import is_same_origin
from apps.realtime.topics import Topic, parse_topic, run_topic, runs_topic
from apps.tenancy.models import DEV_ENVIRONMENT_ID

HOST = (b"host", b"stepwell.example:8288")


@pytest.mark.parametrize(
    ("origin", "is_same"),
    [
        (b"http://stepwell.example:8288", True),
        (b"https://STEPWELL.example:8288", True),
        (b"http://stepwell.example", False),
        (b"http://evil.example", False),
        (b"http://stepwell.example:8288.evil.example", False),
        (b"null", False),
        (b"", False),
    ],
)
def test_only_pages_of_the_same_host_may_connect(origin: bytes, is_same: bool) -> None:
    assert is_same_origin([HOST, (b"origin", origin)]) is is_same


def test_programs_send_no_origin() -> None:
    assert is_same_origin([HOST])


def test_an_origin_without_a_host_is_refused() -> None:
    assert not is_same_origin([(b"origin", b"")])


def test_topics_name_a_run_or_an_environment() -> None:
    run = parse_topic(run_topic("01J"))
    runs = parse_topic(runs_topic(DEV_ENVIRONMENT_ID))
    assert run == Topic("run.01J", run_id="01J")
    assert runs == Topic(f"runs.{DEV_ENVIRONMENT_ID}", environment_id=DEV_ENVIRONMENT_ID)
    assert run is not None
    assert (run.is_about("01J"), run.is_about("01K")) == (True, False)
    assert runs is not None
    assert runs.is_about("01K")


@pytest.mark.parametrize(
    "name", ["", "run", "run.", "runs.not-a-uuid", "other.01J", "run.a b", "run.\u00e9", "run." + "x" * 40]
)
def test_other_names_are_no_topics(name: str) -> None:
    assert parse_topic(name) is None
