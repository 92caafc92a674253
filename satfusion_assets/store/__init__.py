"""Where every product lies, how it is published, and how its rasters are read and written.

Nothing outside this package joins paths below the data root.
"""

from satfusion_assets.store.manifest import FileRecord, Manifest, Product
from satfusion_assets.store.products import ProductStore
from satfusion_assets.store.version import Draft, View

__all__ = ["Draft", "FileRecord", "Manifest", "Product", "ProductStore", "View"]
