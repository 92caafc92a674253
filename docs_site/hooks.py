"""Pages of the manual that are made of something else: the commands, the tables' columns, files of the checkout's root.

mkdocs calls the functions by their names (``hooks`` in mkdocs.yml).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from satfusion_assets.export.dictionary import TABLES, Columns

CHECKOUT: Final = Path(__file__).parents[1]
ROOT_PAGES: Final = {
    "CHANGELOG.md": "changelog.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Files of the checkout's root -> their page in the manual."""
_NAMED_FENCE: Final = re.compile(r"^(```\w+) \w+$", re.MULTILINE)
"""Blocks that tests call by a name; it is none of the manual's business."""
_LINK: Final = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here."""
    made = {page: (CHECKOUT / name).read_text() for name, page in ROOT_PAGES.items()}
    made |= {
        "commands.md": commands(),
        "data-dictionary.md": dictionary(),
        "decisions/index.md": (CHECKOUT / "docs" / "decisions" / "README.md").read_text(),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page as the manual shows it: links to pages, and the answer of a page of evidence before the evidence."""
    answer = answers().get(page.file.src_uri)
    if answer is not None:
        title, _, rest = markdown.partition("\n")
        markdown = f'{title}\n\n!!! abstract "In short"\n\n    {answer}\n{rest}'
    return relinked(markdown, page)


def answers() -> dict[str, str]:
    """Page of evidence -> its answer in three sentences, as ``docs/evidence.md`` gives it."""
    text = (CHECKOUT / "docs" / "evidence.md").read_text()
    sections = re.findall(r"^## \[[^\]]*\]\(([^)]*)\)\n\n(.*?)(?=\n## |\Z)", text, re.MULTILINE | re.DOTALL)
    return {page: " ".join(words.split()) for page, words in sections}


def relinked(markdown: str, page: Page) -> str:
    """``markdown`` with links as the manual needs them: pages read in the checkout point to files, here to pages.

    What is no page (a module, a script, the licence) keeps its words and loses its link.
    """
    depth = page.file.src_uri.count("/")
    from_root = page.file.src_uri in ROOT_PAGES.values()

    def turned(link: re.Match[str]) -> str:
        path, hash_mark, anchor = link["target"].partition("#")
        if "://" in path or not path:
            return link[0]
        name = path.removeprefix("docs/") if from_root else path
        name = {f"../{root}": f"{'../' * depth}{made}" for root, made in ROOT_PAGES.items()}.get(name, name)
        name = ROOT_PAGES.get(name, name) if from_root else name
        name = re.sub(r"decisions/README\.md$", "decisions/index.md", name)
        if not name.endswith((".md", ".ipynb")):
            return link["text"]
        linked = page.file.src_uri.rpartition("/")[0]
        words = title(CHECKOUT / "docs" / linked / name) if link["text"].endswith(".md") else link["text"]
        return f"[{words}]({name}{hash_mark}{anchor})"

    return _NAMED_FENCE.sub(r"\1", _LINK.sub(turned, markdown))


def title(page: Path) -> str:
    """The heading of a page, for links that show a file's name; pages made here are called by theirs."""
    return page.read_text().partition("\n")[0].removeprefix("# ") if page.exists() else page.stem


def commands() -> str:
    """The reference of the command line, as typer writes it."""
    command = [sys.executable, "-m", "typer", "satfusion_assets.cli", "utils", "docs", "--name", "satfusion"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT)
    return done.stdout.replace("# `satfusion`", "# Commands", 1)


def dictionary() -> str:
    """The data dictionary as a page."""
    head = (
        "# Tables, column by column\n\n`data/tables/` holds each table as CSV and Parquet, with this dictionary beside "
        "it (`scores_columns.csv`, `gaps_columns.csv`). A number that is not known is empty. Definitions of the "
        "scores: [metrics.md](metrics.md).\n"
    )
    return head + "".join(_section(name, columns) for name, columns in TABLES.items())


def _section(name: str, columns: Columns) -> str:
    rows = [f"| `{column}` | {of.type} | {of.unit or '-'} | {of.meaning} |" for column, of in columns.items()]
    head = [f"\n## {name}\n", "| column | type | unit | meaning |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])
