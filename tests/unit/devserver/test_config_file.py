"""Where the configuration file is found, and what is refused in it."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.devserver.config_file import find_config_file, load_config_file


def test_the_nearest_folder_wins_then_home(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "a" / "b"
    (home / ".config" / "inngest").mkdir(parents=True)
    work.mkdir(parents=True)
    at_home, above, here = (
        home / ".config" / "inngest" / "inngest.yml",
        tmp_path / "inngest.json",
        work / "inngest.yaml",
    )
    found = []
    for path in (at_home, above, here):
        path.write_text("{}")
        found.append(find_config_file(work, home))
    assert found == [at_home, above, here]


def test_nothing_found(tmp_path: Path) -> None:
    assert find_config_file(tmp_path, tmp_path) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.yaml", "sdk-url:\n  - http://a\nport: 1\n"),
        ("c.json", '{"sdk-url": ["http://a"], "port": 1}'),
        ("c.toml", 'sdk-url = ["http://a"]\nport = 1\n'),
    ],
)
def test_the_three_formats_say_the_same(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert load_config_file(path).values == {"sdk-url": ["http://a"], "port": 1}


def test_keys_of_other_commands_are_left_to_them(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("api-host: example.test\nurls: [http://a]\n")
    assert load_config_file(path).values == {"sdk-url": ["http://a"]}


@pytest.mark.parametrize(
    ("name", "content", "ending"),
    [
        ("c.yaml", "prot: 1\n", ": unknown key 'prot'"),
        ("c.yaml", "- 1\n", " must hold option names and their values"),
        ("c.ini", "port=1\n", " must end in .yaml, .yml, .json or .toml"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, content: str, ending: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ImproperlyConfigured) as caught:
        load_config_file(path)
    assert str(caught.value) == f"{path}{ending}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"c\.yaml cannot be read: .*No such file"):
        load_config_file(tmp_path / "c.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(content=st.binary(max_size=60), ending=st.sampled_from(["yaml", "json", "toml"]))
def test_no_content_raises_anything_but_one_sentence(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"c.{ending}"
    path.write_bytes(content)
    assert "\n" not in complaint(path)


def complaint(path: Path) -> str:
    try:
        load_config_file(path)
    except ImproperlyConfigured as problem:
        return str(problem)
    return ""
