"""The table and the picture of the forecast study, from what ``forecast_years.py --out`` wrote.

``forecast_report.py TABLE.md PICTURE.svg STUDY.json...``: the table is put between the marks in the page, the picture
is that of the first study.
"""

import json
import sys
from pathlib import Path
from typing import Any

from linecontrol.pictures.style import CALM, FAINT, INK, LOUD, figure, look, quiet, save

MARKS = "<!-- table -->", "<!-- end of table -->"
COLOURS = {"forecast": INK, "plug-in": LOUD, "run rate": CALM}


def table(studies: list[dict[str, Any]]) -> str:
    """All studies in Markdown."""
    lines = []
    for study in studies:
        lines += [
            f"**{study['cell']}**: {study['years']} years, seed {study['seed']}, {study['replications']} replications",
            "",
            "| day | method | coverage of the 80 % interval | CRPS (units) | Brier | width (units) | bias | PIT chi² |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row['day']} | {row['method']} | {row['coverage']:.3f} | {row['crps']:.2f} | {row['brier']:.3f} "
            f"| {row['width']:.1f} | {row['bias']:+.1f} | {row['pit_chi2']:.1f} |"
            for row in study["rows"]
        ]
        lines.append("")
    return "\n".join(lines)


def draw(study: dict[str, Any], file: Path) -> None:
    """Coverage, CRPS and PIT of a study."""
    rows = study["rows"]
    days = sorted({row["day"] for row in rows})
    places = range(len(days))
    with look():
        drawn = figure(10, 3.4)
        cover, score, rank = drawn.subplots(1, 3)
        for method, colour in COLOURS.items():
            its = [row for row in rows if row["method"] == method]
            cover.plot(places, [row["coverage"] for row in its], "o-", color=colour, label=method)
            score.plot(places, [row["crps"] for row in its], "o-", color=colour)
        cover.axhspan(0.77, 0.84, color=FAINT, alpha=0.2, lw=0)
        cover.set_ylim(0, 1)
        cover.legend(frameon=False)
        cover.set_title("Truth within the 80 % interval")
        score.set_yscale("log")
        score.set_title("CRPS in units (less is better)")
        for axes in (cover, score):
            axes.set_xticks(places, [str(day) for day in days])
            axes.set_xlabel("working days seen")
        day = 40 if 40 in days else days[0]
        bins = next(row["pit"] for row in rows if row["day"] == day and row["method"] == "forecast")
        rank.bar([(k + 0.5) / len(bins) for k in range(len(bins))], bins, width=0.092, color=INK)
        rank.axhline(study["years"] / len(bins), color=FAINT, lw=1)
        rank.set_title(f"Where the truth lay in the forecast, day {day}")
        rank.set_xlabel("quantile of the forecast")
        for axes in (cover, score, rank):
            quiet(axes, grid="y")
        save(drawn, file)


def main() -> None:
    """Put table and picture into the documentation."""
    page, picture = Path(sys.argv[1]), Path(sys.argv[2])
    studies = [json.loads(Path(each).read_text()) for each in sys.argv[3:]]
    before, rest = page.read_text().split(MARKS[0])
    _, after = rest.split(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n\n{table(studies)}\n{MARKS[1]}{after}")
    draw(studies[0], picture)
    print(json.dumps({"benchmark": "forecast_report", "page": str(page), "picture": str(picture)}))


if __name__ == "__main__":
    main()
