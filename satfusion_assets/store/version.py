"""One version of a product: read through a ``View``, written through a ``Draft``."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from satfusion_assets.store.manifest import MANIFEST, FileRecord, Manifest, Product
from satfusion_assets.store.rasters import Raster, encode_raster, read_geobox, read_raster
from satfusion_assets.store.recent import READ, WRITTEN
from satfusion_assets.store.tags import day_tag, units_tag
from satfusion_assets.vocabulary.errors import ProductCorrupt, ProductMissing, StoreError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from odc.geo.geobox import GeoBox

    from satfusion_assets.store.stacks import Images

_LINKS_REFUSED: Final = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP)
"""Another file system, one that knows no second names, or no more of them."""


class View:
    """One version of a product, leased: it stays whole until the reader is done.

    bring: makes sure that files are at hand, by their names, where they are not all in ``folder`` from the beginning.
    """

    def __init__(
        self, product: Product, folder: Path, bring: Callable[[Sequence[str]], None] = lambda names: None
    ) -> None:
        self.product = product
        self.manifest = Manifest.read(folder / MANIFEST)
        self._folder = folder
        self.bring = bring

    @property
    def version(self) -> str:
        """Data version of what is read."""
        return self.manifest.version

    def names(self, pattern: str = "*") -> list[str]:
        """Contract paths that match ``pattern`` (shell style, ``*`` crosses folders), sorted."""
        return sorted(name for name in self.manifest.files if fnmatchcase(name, pattern))

    def files(self, pattern: str = "*") -> list[Path]:
        """The files behind ``names(pattern)``, in the same order."""
        names = self.names(pattern)
        self.bring(names)
        return [self._folder / name for name in names]

    def contents(self, among: Collection[str]) -> Iterator[tuple[FileRecord, Path]]:
        """Size and hash of every file whose hash is ``among`` these, and where it lies."""
        files = self.manifest.files.items()
        return ((record, self._folder / name) for name, record in files if record.sha256 in among)

    def path(self, name: str) -> Path:
        """The file behind one contract path; ProductMissing when the product has no such file."""
        if name not in self.manifest.files:
            raise ProductMissing(
                f"{self.product.key} has no file {name}, as when an earlier version made it; {self._remedy}."
            )
        self.bring([name])
        return self._folder / name

    def folder(self, name: str) -> Path:
        """The folder with contract path ``name``, such as a pack, with all that is below it."""
        self.bring(self.names(f"{name}/*"))
        return self._folder / name

    def read_raster(self, name: str, bands: Sequence[str] | None = None) -> Raster:
        """A raster of this product, ``bands`` of it by their descriptions; ProductCorrupt when it cannot be read."""
        try:
            return read_raster(self.path(name), bands)
        except ProductCorrupt as error:
            raise self._corrupt(name, "GeoTIFF") from error

    def read_geobox(self, name: str) -> GeoBox:
        """Where a raster of this product lies; ProductCorrupt when it cannot be read."""
        try:
            return read_geobox(self.path(name))
        except ProductCorrupt as error:
            raise self._corrupt(name, "GeoTIFF") from error

    def read_stack(self, names: Sequence[str]) -> NDArray[Any]:
        """Pixels (n, bands, H, W) of rasters of one shape, as stored; ProductCorrupt names one that cannot be read."""
        import numpy as np

        from satfusion_assets.store.small_rasters import read_rasters

        held = self._held(names)
        return np.array(held) if held is not None else read_rasters([self.path(name) for name in names])

    def see_stack(self, names: Sequence[str]) -> Images:
        """As ``read_stack``, to be looked at and not changed: one stack for everyone who asks, held for a while."""
        import numpy as np

        stack = self._stack(names)
        if isinstance(stack, np.ndarray):
            stack = stack.view()
            stack.flags.writeable = False
        return stack

    def kernel_stack(self, names: Sequence[str]) -> NDArray[Any]:
        """As ``see_stack``, for compiled kernels: they are compiled for arrays that may be changed, and change none."""
        import numpy as np

        return np.asarray(self._stack(names))

    def _stack(self, names: Sequence[str]) -> Images:
        from satfusion_assets.store.small_rasters import read_rasters

        stack = self._held(names)
        if stack is None:
            stack = read_rasters([self.path(name) for name in names])
            READ.hold([self.manifest.files[name].sha256 for name in names], stack)
        return stack

    def _held(self, names: Sequence[str]) -> Images | None:
        self.bring([name for name in names if name in self.manifest.files])
        for name in names:
            self.path(name)  # or a sentence, where the product has no such file
        hashes = [self.manifest.files[name].sha256 for name in names]
        written = WRITTEN.find(hashes)
        return written if written is not None else READ.find(hashes)

    def require_whole(self, pattern: str) -> None:
        """ProductCorrupt names the first file of ``names(pattern)`` that is not what was published."""
        for name, path in zip(self.names(pattern), self.files(pattern), strict=True):
            if not path.is_file() or FileRecord.of(path) != self.manifest.files[name]:
                raise ProductCorrupt(
                    f"{name} of {self.product.key} differs from its manifest; {self._remedy} (--rebuild)."
                )

    def read_rasters(self, names: Sequence[str]) -> Iterator[Raster]:
        """Rasters that are alike but for pixels and tags, read together; ProductCorrupt names one that is not.

        Their tags are left out.
        """
        stack, first = self.read_alike(names)
        return (replace(first, values=values, tags={}) for values in stack)

    def read_alike(self, names: Sequence[str]) -> tuple[Images, Raster]:
        """Pixels of rasters as ``read_rasters`` has them, and the first raster with all that they have in common."""
        from satfusion_assets.store.small_rasters import first_unlike

        stack = self.see_stack(names)
        first, unlike = self.read_raster(names[0]), first_unlike([self.path(name) for name in names])
        if unlike is not None:
            raise ProductCorrupt(
                f"{names[unlike]} of {self.product.key} has another grid or other bands than {names[0]}."
            )
        return stack, replace(first, tags={})

    def read_json(self, name: str) -> Any:
        """Content of a JSON file of this product; ProductCorrupt when it cannot be parsed."""
        path = self.path(name)
        try:
            return json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise self._corrupt(name, "JSON") from error

    def _corrupt(self, name: str, kind: str) -> ProductCorrupt:
        return ProductCorrupt(f"{name} of {self.product.key} is not readable {kind}; {self._remedy} (--rebuild).")

    @property
    def _remedy(self) -> str:
        return f"materialise {self.product.slug} of {self.product.scope.key} again"


class Draft:
    """A version being written; it becomes visible when its ``publish`` block ends without an error."""

    def __init__(self, product: Product, folder: Path, tags: Mapping[str, str]) -> None:
        self.product = product
        self.tags = tags
        """What each raster says of itself besides what its writer adds."""
        self.manifest: Manifest | None = None
        """Filled when the block has ended and the product is published."""
        self.stacks: list[tuple[Sequence[str], Images]] = []
        """Stacks as they were written, with the name of each image; they must not be changed after that."""
        self.shared: dict[str, FileRecord] = {}
        """Files that are another product's as well: contract path -> what that product's manifest says of them."""
        self._written: dict[str, FileRecord] = {}
        self._folder = folder

    def record(self, name: str) -> FileRecord:
        """Size and hash of the file ``name`` as it was written; what was written by its path is read."""
        return self.shared.get(name) or self._written.get(name) or FileRecord.of(self._folder / name)

    def path(self, name: str) -> Path:
        """Where to write the file with contract path ``name``; its folder exists."""
        self._written.pop(name, None)
        if name.startswith("/") or ".." in name.split("/") or name == MANIFEST:
            raise StoreError(f"{name!r} is not a path below a site-season folder.")
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_bytes(self, name: str, content: bytes) -> None:
        self.path(name).write_bytes(content)
        self._written[name] = FileRecord.holding(content)

    def write_raster(self, name: str, values: Any, geobox: GeoBox, **options: Any) -> None:
        """A GeoTIFF of ``values`` on ``geobox``; options as in ``encode_raster``."""
        units = units_tag(options.get("descriptions", ()))
        tags = {**self.tags, **units, **day_tag(name), **options.pop("tags", {})}
        self.write_bytes(name, encode_raster(values, geobox, tags=tags, **options))

    def write_stack(self, names: Sequence[str], stack: Images, geobox: GeoBox, **options: Any) -> None:
        """A GeoTIFF for each image of ``stack`` (n, bands, H, W), NaN = missing; options as in ``write_rasters``."""
        from satfusion_assets.store.small_rasters import write_rasters

        own = options.pop("tags", None) or [{}] * len(names)
        units = units_tag(options.get("band_names", ()))
        tags = [{**self.tags, **units, **day_tag(name), **of} for name, of in zip(names, own, strict=True)]
        written = write_rasters([self.path(name) for name in names], stack, geobox, tags=tags, **options)
        self._written |= zip(names, written, strict=True)
        self.stacks.append((names, stack))

    def write_json(self, name: str, content: Any) -> None:
        """Strict JSON: a NaN or infinity is refused, because no reader of the contract expects one."""
        self.write_bytes(name, f"{_json(content)}\n".encode())

    def write_csv(self, name: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Rows with equal keys as comma-separated values under one header; None = empty field."""
        text = io.StringIO(newline="")
        if records:
            writer = csv.DictWriter(text, fieldnames=list(records[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)
        self.write_bytes(name, text.getvalue().encode())

    def adopt(self, source: Path, name: str) -> None:
        """Take ``source`` as the file ``name`` without copying where the disk allows."""
        link_or_copy(source, self.path(name))

    def share(self, view: View, name: str, target: str) -> None:
        """Take the file ``name`` of another product as the file ``target``: the same content once on the disk, known
        by the hash that its manifest has.
        """
        source, record = view.path(name), view.manifest.files[name]
        if link(source, self.path(target)):
            self.shared[target] = record
        else:
            shutil.copyfile(source, self.path(target))


def _json(content: Any) -> str:
    """Strict JSON, indented by 1. Records of plain fields are written one by one: Python indents without its compiled
    encoder, which takes ten times as long over a season's series.
    """
    if not (isinstance(content, list) and content and all(map(_is_record, content))):
        return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",\n  ", ": ")).encode
    records = ",\n ".join(f"{{\n  {encode(record)[1:-1]}\n }}" for record in content)
    return f"[\n {records}\n]"


def _is_record(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and not any(isinstance(one, dict | list | tuple) for one in value.values())
    )


def link_or_copy(source: Path | str, target: Path | str) -> None:
    """``source`` under the name ``target``; a copy where the disk refuses second names."""
    if not link(Path(source), Path(target)):
        shutil.copyfile(source, target)


def link(source: Path, target: Path) -> bool:
    """Make ``target`` another name of the file ``source``; False where the disk refuses that."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _LINKS_REFUSED:
            raise
        return False
    return True


def replace_by(target: Path, source: Path, record: FileRecord) -> bool:
    """Make ``target`` another name of ``source`` where that really holds what ``record`` says; False where it stays a
    file of its own, as where the disk refuses, or ``source`` is gone or damaged.
    """
    staged = target.with_name(f".{target.name}.shared")
    try:
        if FileRecord.of(source) != record or not link(source, staged):
            return False
    except FileNotFoundError:
        return False
    staged.replace(target)
    staged.unlink(missing_ok=True)  # a rename onto another name of the same file does nothing
    return True
