"""The sandbox's archives on loopback: one port, the real services' path layouts, faults on request.

``/v1`` Earth Search, ``/data`` its bucket and the PhenoCam archive, ``/openeo/1.2`` and ``/auth/realms/CDSE``
Copernicus, ``/api`` PhenoCam; ``/_faults`` and ``/_world`` are for tests and have no counterpart outside.
"""
