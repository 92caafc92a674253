"""Tables in the terminal."""

from __future__ import annotations

from rich.table import Column, Table


def narrow_table(name: str, *numbers: str, title: str) -> Table:
    """A table of scores, a row for each ``name``, that fits 80 columns without cutting any."""
    columns = [Column(name, no_wrap=True), *(Column(number, no_wrap=True, justify="right") for number in numbers)]
    return Table(*columns, title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)
