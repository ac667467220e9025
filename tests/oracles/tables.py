"""Reads the tables of solved lines."""

import csv
from pathlib import Path

Row = dict[str, str]


def table(name: str) -> list[Row]:
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(cell: str) -> list[float]:
    return [float(each) for each in cell.split("|")]


def matrix(cell: str) -> list[list[float]]:
    return [numbers(row) for row in cell.split(";")]


def label(row: Row, *columns: str) -> str:
    """A name for the row among the tests."""
    return " / ".join(row[column].replace("|", " ") for column in columns)
