"""Guards of the repository's layout (docs/ARCHITECTURE.md): `platform/` is a source root, never a package."""

import importlib.util
import re
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_SOURCE_FOLDERS = ("apps", "platform", "tests", "docs", "requirements", "templates", "static", ".ci")
_NAMED_PATH = re.compile(rf"`((?:{'|'.join(map(re.escape, _SOURCE_FOLDERS))})/[\w./*-]*)`")


def test_platform_is_not_a_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_platform_holds_exactly_one_package_and_no_modules() -> None:
    folders = [
        path.name for path in (ROOT / "platform").iterdir() if path.is_dir() and path.name != "__pycache__"
    ]
    modules = [path.name for path in (ROOT / "platform").glob("*.py")]
    assert (folders, modules) == (["config"], [])


def test_import_platform_is_the_standard_library() -> None:
    found = importlib.util.find_spec("platform")
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).parent == Path(sysconfig.get_path("stdlib"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_named_in_documents_exist(document: Path) -> None:
    named = _NAMED_PATH.findall(document.read_text())
    assert [path for path in named if not any(ROOT.glob(path.rstrip("/")))] == []


def test_every_lock_pins_and_hashes_every_package() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        lines = [line for line in lock.read_text().splitlines() if line and not line.lstrip().startswith("#")]
        starts = [line for line in lines if not line.startswith(" ")]
        assert [line for line in starts if "==" not in line or not line.endswith("\\")] == [], lock.name
