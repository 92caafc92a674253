"""The gap benchmark: how well clear images come back when they are truly withheld.

``windows`` says which days a gap takes, ``stack`` withholds them, ``competitors`` (with ``fusion`` and ``starfm``)
fill them, ``moments`` scores the filling, ``benchmark`` runs one site-season, ``reports`` writes the contract's JSON.
"""
