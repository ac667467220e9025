"""Lines of text to rows of cells, with line numbers: commas, semicolons or tabs, quoted or not."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from linecontrol.bottleneck.complaint import Complaint

Cells = tuple[int, list[str]]
"""The number of the line in which a row begins, and its cells."""


def split_lines(lines: Iterable[str], complaints: list[Complaint]) -> tuple[Iterator[Cells], bool]:
    """The rows with something in them and their line numbers; whether a decimal comma may occur in cells."""
    numbered = iter(lines)
    head: list[str] = []
    for text in numbered:
        head.append(text.removeprefix("\ufeff"))
        if head[-1].strip():
            break
    told = head[-1].strip().lower() if head else ""
    if told.startswith("sep=") and len(told) == len("sep=") + 1:
        delimiter = told[-1]
        skipped = len(head)
        head = []
    else:
        counts = Counter(char for char in _unquoted(head[-1] if head else "") if char in ",;\t")
        delimiter = max(",;\t", key=lambda char: counts[char])
        skipped = 0
    return _parsed(chain(head, numbered), delimiter, skipped, complaints), delimiter != ","


def _parsed(lines: Iterable[str], delimiter: str, skipped: int, complaints: list[Complaint]) -> Iterator[Cells]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = reader.line_num + skipped + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num + skipped
            where = f"up to line {last} " if last > first else ""
            complaints.append(Complaint(first, f"{where}can't be read as cells: {error}; check the quotes", "cells"))
            continue
        if any(map(str.strip, cells)):
            yield first, cells


def _unquoted(text: str) -> str:
    return "".join(text.split('"')[::2])
