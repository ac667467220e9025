"""How often the bottleneck is found from few units: the whole study, as a table.

``python -m benchmarks.small_samples [--lines 200] [--seed 2026] [--families mixed …]`` prints a Markdown table, row by
row as they come, and at the end one JSON line. It takes about an hour of one core.
"""

import argparse
import json
import sys
import time

from tests.studies.small_samples import FAMILIES, PLANS, WINDOWS, scores


def main() -> None:
    """Run all cells."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=2026)
    arguments.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    asked = arguments.parse_args()
    print("| lines | known | units | found | efficiency | held by the suspects | suspects | arrow | active period |")
    print("|---|---|---|---|---|---|---|---|---|")
    begun = time.perf_counter()
    cells = []
    for family in asked.families:
        for plan in PLANS:
            for units in WINDOWS:
                its = list(scores(family, units, plan, lines=asked.lines, seed=asked.seed, truths=4))
                mean = {
                    name: sum(getattr(score, name) for score in its) / len(its)
                    for name in ("hit", "efficiency", "held", "size", "arrow", "active")
                }
                cells.append({"family": family, "plan": plan, "units": units, "records": len(its), **mean})
                figures = " | ".join(f"{mean[name]:.{1 if name == 'size' else 2}f}" for name in mean)
                print(f"| {family} | {plan} | {units} | {figures} |", flush=True)
    took_s = time.perf_counter() - begun
    print(json.dumps({"benchmark": "small_samples", "seconds": round(took_s), "cells": cells}), file=sys.stderr)


if __name__ == "__main__":
    main()
