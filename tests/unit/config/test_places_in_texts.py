"""What is wrong in the middle of a text is shown where it stands in the file, however the text is written."""

from pathlib import Path
from random import Random

import pytest

from linecontrol.config.source import Places, Source

WORDS = ["state", "==", "'down'", "and", "running.active", ">", "5 min", '"x"', "not", "(", ")", "é", "it''s"]


def written(style: str, words: list[str], chance: Random) -> str:
    """The words as a value of YAML, broken into lines where the style allows it."""
    gaps = [chance.choice([" ", "\n      ", "\n\n      "]) if style != "one line" else " " for _ in words]
    gaps[0] = ""
    text = "".join(gap + word for gap, word in zip(gaps, words, strict=True))
    match style:
        case "single quotes":
            return "'" + text.replace("'", "''") + "'"
        case "double quotes":
            return '"' + text.replace('"', '\\"') + '"'
        case "folded":
            return ">-\n      " + text
        case "literal":
            return "|\n      " + text
        case _:
            return text


@pytest.mark.parametrize("style", ["one line", "plain", "single quotes", "double quotes", "folded", "literal"])
def test_the_place_of_a_character(style: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    for seed in range(60):
        chance = Random(seed)
        words = ["observed", *chance.choices(WORDS, k=chance.randint(0, 12))]
        words.insert(chance.randint(1, len(words)), "§")
        text = f"rules:\n  r:\n    when: {written(style, words, chance)}\n    message: m\n"
        file.write_text(text, encoding="utf-8")
        places = Places(str(tmp_path))
        value = Source(file, places).read()["rules"]["r"]["when"]
        place = places.of(("rules", "r", "when"), value.index("§"))
        assert text.splitlines()[place.line - 1][place.column - 1] == "§", text
        end = places.of(("rules", "r", "when"), len(value))
        assert text.splitlines()[end.line - 1][: end.column - 1].strip()
