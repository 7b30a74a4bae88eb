"""One platform per data folder."""

import os
import subprocess
from pathlib import Path

import pytest

from apps.devserver.errors import StartError
from apps.devserver.instance_lock import acquire_instance_lock


def test_a_second_instance_is_refused_at_once(tmp_path: Path) -> None:
    lock = acquire_instance_lock(tmp_path)
    try:
        with pytest.raises(StartError) as caught:
            acquire_instance_lock(tmp_path)
    finally:
        os.close(lock)
    assert str(caught.value) == f"Another Stepwell (process {os.getpid()}) already runs on {tmp_path}"
    os.close(acquire_instance_lock(tmp_path))


def test_the_folder_is_made(tmp_path: Path) -> None:
    os.close(acquire_instance_lock(tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b" / "lock").read_text() == str(os.getpid())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError) as caught:
        acquire_instance_lock(tmp_path / "file")
    assert str(caught.value) == f"The data folder {tmp_path / 'file'} cannot be used: File exists"


def test_children_that_outlive_their_killed_supervisor_are_waited_for(tmp_path: Path) -> None:
    lock = acquire_instance_lock(tmp_path)
    child = subprocess.Popen(["/bin/sleep", "0.4"], pass_fds=(lock,))
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    (tmp_path / "lock").write_text(str(gone.pid))
    os.close(lock)
    again = acquire_instance_lock(tmp_path)
    assert child.wait() == 0
    os.close(again)
