"""A world with known truth, and its archives on loopback: the wind tunnel of the platform.

What exists is computed here from a seed, and written from what is known of the real archives alone:

- ``landscape`` (with ``layout``, ``season``, ``signatures``, ``geometry``): covers, seasons and the true reflectance of
  any day; ``weather``: clouds, haze and snow, one for all sensors.
- ``orbits``, ``catalogue``, ``stac``, ``granule``, ``scene``: Sentinel-2's passes, products with the archive's known
  defects, items, metadata files and pixels.
- ``sentinel3``, ``olci``: Sentinel-3's passes and the openEO cubes made of them.
- ``camera``, ``picture``: the PhenoCam's colours, records and pictures.
- ``archive``, ``place``, ``files``: all of it behind one object (``SandboxWorld``), built when asked, cached on disk.

``world`` is the seam to the servers, which know protocols and nothing of how a scene comes about.
"""
