"""Pages that explain have the pictures that they show, and nothing in them but a picture."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "explanations"
PICTURES = sorted(PAGES.glob("pictures/*.svg"))


def test_every_picture_is_shown_with_words_for_those_who_do_not_see_it() -> None:
    shown = {}
    for page in PAGES.glob("*.md"):
        shown.update({path: words for words, path in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text("utf-8"))})
    shown = {path: words for path, words in shown.items() if path.startswith("pictures/")}
    assert set(shown) == {f"pictures/{picture.name}" for picture in PICTURES}
    assert all(len(words) > 40 for words in shown.values())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_text_without_a_date(picture: Path) -> None:
    text = picture.read_text("utf-8")
    assert len(text.encode()) < 150_000
    kinds = set(re.findall(r"<(?:\w+:)?(\w+)", text))
    assert {"svg", "text"} < kinds
    assert not kinds & {"script", "image", "foreignObject", "date"}
