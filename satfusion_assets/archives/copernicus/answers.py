"""What the back-end's JSON answers must hold, as models: lists of jobs, logs, results.

A result's file is known by its media type or by its address, never by its key: a key carries no meaning in STAC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from satfusion_assets.archives.copernicus.failures import harmless
from satfusion_assets.archives.retry import is_web_address
from satfusion_assets.vocabulary.errors import ArchiveAnswerInvalid

_JOB_ID: Final = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}")
_ENDINGS: Final = (".nc", ".nc4", ".netcdf", ".cdf")
_SAYS_NOTHING: Final = ("", "application/octet-stream", "binary/octet-stream")
"""Media types of files whose type nobody has set."""
_EMPTY_CODES: Final = re.compile(
    r"\b(NoDataAvailable|NoSuchFeatures(Exception)?)\b|There is no data available for the given extents"
)
"""How the back-end says that there is nothing: file-based collections, and those read from Sentinel Hub."""
_FAILURE: Final = "batch job failed"
"""Begins the line of a log that says why a job failed; other lines tell of single products and of other things."""
_SHOWN_FILES: Final = 5

Model = TypeVar("Model", bound=BaseModel)


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else ""


def _size(value: Any) -> Any:
    """Bytes; an answer may leave them out or hold nonsense, and the file is read whole in any case."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


Text = Annotated[str, BeforeValidator(_text)]
"""Optional words; what is no text counts as none."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Malformed(ArchiveAnswerInvalid):
    """An answer of another shape; it may have been damaged on its way."""


class Link(_Answer):
    href: str
    rel: Text = ""


class ListedJob(_Answer):
    """An entry of a list of jobs. created: as the back-end writes it, '' = it does not say."""

    id: str = Field(pattern=f"^{_JOB_ID.pattern}$")
    title: Text = ""
    created: Text = ""


class Page(_Answer):
    """A part of a list."""

    links: list[Any] = []

    @property
    def next(self) -> dict[str, str] | None:
        """What to ask the same address for to get the part after this one; None = this is the last.

        Only the query of the link is followed, so that a link to another host (or to the name that a proxy hides)
        takes no credentials there.
        """
        links = (link for link in _usable(Link, self.links) if link.rel == "next")
        return next((_query(link.href) for link in links), None)


class JobPage(Page):
    jobs: list[Any]

    def entries(self) -> list[ListedJob]:
        """The jobs; one that is malformed cannot be taken up and is left out."""
        return list(_usable(ListedJob, self.jobs))


class JobState(_Answer):
    status: str


class LogEntry(_Answer):
    message: Text = ""
    code: Text = ""


class LogPage(Page):
    logs: list[Any]

    def entries(self) -> list[LogEntry]:
        return list(_usable(LogEntry, self.logs))


class _File(_Answer):
    href: str
    type: Text = ""
    size: Annotated[int | None, BeforeValidator(_size)] = Field(None, alias="file:size")
    alternate: dict[str, Any] | None = None


class Results(_Answer):
    """A job's results: a STAC collection or item."""

    assets: dict[str, Any]
    links: list[Any] = []

    def items(self) -> list[str]:
        """Addresses of the items, which hold the files where the collection holds none."""
        return [link.href for link in _usable(Link, self.links) if link.rel == "item"]


@dataclass(frozen=True)
class Asset:
    """A file of a job's result. href may be signed: never show it. size: bytes, None when not stated.

    media_type: '' when not stated.
    """

    name: str
    href: str
    size: int | None
    media_type: str = ""


def parsed(model: type[Model], document: Any, what: str) -> Model:
    """``document`` as ``model``; Malformed names ``what`` and its first fault."""
    try:
        return model.model_validate(document)
    except (ValidationError, RecursionError) as error:
        where, why = "it", "nested too deeply"
        if isinstance(error, ValidationError):
            fault = error.errors()[0]
            where, why = harmless(".".join(map(str, fault["loc"]))) or "it", fault["msg"].lower()
        raise Malformed(f"Copernicus openEO's {what} is malformed ({where}: {why}); run this again later.") from error


def job_id_of(text: Any) -> str:
    """``text`` when it can be a job's id: it becomes part of addresses. ArchiveAnswerInvalid otherwise."""
    if isinstance(text, str) and _JOB_ID.fullmatch(text):
        return text
    raise ArchiveAnswerInvalid(f"Copernicus openEO named a job {harmless(str(text))!r}, which is no id of a job.")


def found_nothing(log: Iterable[LogEntry]) -> bool:
    """The log of a failed job says that the archive has nothing for it: in the line that says why it failed.

    A job that fails for another reason may have reported single products without data before.
    """
    entries = list(log)
    final = [entry for entry in entries if _FAILURE in entry.message.lower()] or entries[-1:]
    return bool(final) and all(_EMPTY_CODES.search(f"{entry.code} {entry.message}") for entry in final)


def says_nothing_there(code: str, message: str) -> bool:
    """An error of the interface says that the archive has nothing for a request."""
    return bool(_EMPTY_CODES.search(code) or (code == "Internal" and _EMPTY_CODES.search(message)))


def files_of(results: Results, address: str) -> list[Asset]:
    """The files of ``results``, which lie at ``address``; malformed ones are left out."""
    found = []
    for name, entry in results.assets.items():
        for file in _usable(_File, [entry]):
            href = _fetchable(file, address)
            found.append(Asset(str(name), href, file.size, file.type))
    return found


def netcdf_among(files: list[Asset], job_id: str) -> Asset:
    """The one NetCDF; ArchiveAnswerInvalid says what there is instead."""
    different = list({file.href: file for file in files}.values())
    netcdfs = [file for file in different if _is_netcdf(file)] or [file for file in different if _is_anything(file)]
    if len(netcdfs) != 1:
        what = f"{len(netcdfs)} NetCDF files" if netcdfs else "no NetCDF"
        raise ArchiveAnswerInvalid(
            f"Copernicus openEO's finished job {job_id} has {what} among its {len(files)} files ({_shown(files)})."
        )
    if not is_web_address(netcdfs[0].href):
        raise ArchiveAnswerInvalid(
            f"Copernicus openEO's job {job_id} has its result behind an address that cannot be fetched "
            f"({harmless(netcdfs[0].href.partition(':')[0])}:...)."
        )
    return netcdfs[0]


def _query(href: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(urlsplit(href).query))
    except ValueError:
        return {}


def _usable(model: type[Model], entries: Iterable[Any]) -> Iterable[Model]:
    for entry in entries:
        try:
            yield model.model_validate(entry)
        except (ValidationError, RecursionError):
            continue


def _fetchable(file: _File, address: str) -> str:
    """The file's absolute address, one over HTTP when it has several."""
    others = [entry.href for entry in _usable(Link, (file.alternate or {}).values())]
    try:
        absolute = [urljoin(address, href) for href in (file.href, *others)]
    except ValueError:
        return file.href
    return next((href for href in absolute if is_web_address(href)), absolute[0])


def _is_netcdf(file: Asset) -> bool:
    return "netcdf" in file.media_type.lower() or any(name.endswith(_ENDINGS) for name in _names(file))


def _is_anything(file: Asset) -> bool:
    """Nothing tells what the file is; its bytes will."""
    return file.media_type.lower() in _SAYS_NOTHING and not any(re.search(r"\.\w{2,5}$", name) for name in _names(file))


def _names(file: Asset) -> tuple[str, str]:
    try:
        path = urlsplit(file.href).path
    except ValueError:
        path = ""
    return file.name.lower(), unquote(path).lower()


def _shown(files: list[Asset]) -> str:
    words = [harmless(f"{file.name}: {file.media_type or 'no type'}") for file in files[:_SHOWN_FILES]]
    return ", ".join(words + (["..."] if len(files) > _SHOWN_FILES else [])) or "none"
