"""The reference page lists what the checker knows."""

from pathlib import Path

from linecontrol.rules.reference import names_markdown


def test_the_reference_page_is_current() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "rules.md").read_text()
    listed = page.partition("<!-- names -->\n")[2].partition("<!-- end of names -->")[0]
    assert listed.strip() == names_markdown().strip()
