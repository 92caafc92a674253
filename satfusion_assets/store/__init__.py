"""Where every product lies, how it is published, and how its rasters are read and written.

Nothing outside this package joins paths below the data root.
"""

from satfusion_assets.store.interface import Store
from satfusion_assets.store.manifest import ALL_SEASONS, FileRecord, Manifest, Product, Scope
from satfusion_assets.store.products import ProductStore
from satfusion_assets.store.version import Draft, View

__all__ = ["ALL_SEASONS", "Draft", "FileRecord", "Manifest", "Product", "ProductStore", "Scope", "Store", "View"]
