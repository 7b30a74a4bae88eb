"""Assets that templates and presenters name exist, and the sprite holds nothing that nobody names."""

import re
from pathlib import Path

from django.contrib.staticfiles import finders

ROOT = Path(__file__).resolve().parents[3]
SPRITE = ROOT / "static/vendor/lucide/sprite.svg"
MAX_SCRIPT_LINES = 1500


def source_texts() -> str:
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "apps/dashboard").rglob("*.py")]
    files += (ROOT / "static/js").rglob("*.js")
    return "\n".join(file.read_text() for file in files)


def sprite_icons() -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', SPRITE.read_text()))


def test_the_sprite_holds_exactly_the_icons_in_use() -> None:
    text = source_texts()
    asked_for = set(re.findall(r'\{% icon "([^"]+)"', text)) | set(re.findall(r'empty_icon="([^"]+)"', text))
    assert asked_for - sprite_icons() == set()
    assert {icon for icon in sprite_icons() if not re.search(rf'["#]{icon}"', text)} == set()


def test_icons_of_badges_exist() -> None:
    text = source_texts()
    named = set(re.findall(r'Badge\("[^"]+", "[a-z]+", "([^"]+)"\)', text))
    named |= set(re.findall(r'"confirm_icon": "([^"]+)"', text))
    assert len(named) > 8
    assert named - sprite_icons() == set()


def test_static_files_that_templates_link_exist() -> None:
    """Our own, and the library's scripts of passkeys."""
    linked = set(re.findall(r"\{% static '([^']+)' %\}", source_texts()))
    assert {path for path in linked if finders.find(path) is None} == set()


def test_our_scripts_stay_small() -> None:
    lines = sum(len(file.read_text().splitlines()) for file in (ROOT / "static/js").rglob("*.js"))
    assert lines < MAX_SCRIPT_LINES
