"""The tables of names as Markdown, for the reference page."""

from collections.abc import Mapping

from linecontrol.rules.message import LABELS
from linecontrol.rules.names import CYCLE, ENUMS, NAMES, Kind, Named


def names_markdown() -> str:
    """One section per subject: titles for messages, then the names with type and meaning."""
    sections = []
    for subject, table in NAMES.items():
        titles = ", ".join(f"`{{{label}}}`" for label in LABELS[subject])
        sections.append(f"### each: {subject.value}\n\nTitles in messages: {titles}.\n\n{_table(table)}")
    states = ", ".join(f"`'{state}'`" for state in ENUMS[Kind.STATE])
    sections.append(f"### In window functions\n\n{_table(CYCLE)}")
    sections.append(f"### States\n\n{states}.\n")
    return "\n".join(sections)


def _table(table: Mapping[str, Named]) -> str:
    rows = ["| name | type | meaning | moves with time |", "|---|---|---|---|"]
    rows += [
        f"| `{name.path}` | {'share' if name.share else name.kind.value} | {name.doc} | {'yes' if name.timed else ''} |"
        for name in table.values()
    ]
    return "\n".join(rows) + "\n"
