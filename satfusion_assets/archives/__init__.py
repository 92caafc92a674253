"""Clients of the outside services: Earth Search, Copernicus openEO, PhenoCam.

Each turns what an archive sends into arrays and records of ours, or into one typed error. They know addresses and
credentials (``settings``) and grids, never the product store, and never whether the archive is the real one.
"""
