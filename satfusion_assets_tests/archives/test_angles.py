"""View angles from the granule's metadata."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satfusion_assets.archives.earth_search.angles import view_zenith_of_b8a
from satfusion_assets_tests.archives.conftest import FIXTURES
from satfusion_assets_tests.conftest import REAL_DATA

XML = gzip.decompress((FIXTURES / "S2A_12RWT_20240106_0_L2A.granule_metadata.xml.gz").read_bytes())
DOCUMENTS = [(XML, 8.69676406075635)] + [
    (path.read_bytes(), 6.84280467083668) for path in REAL_DATA.glob("granule/S2A_33TWL_20230815*.xml")
]
"""Real documents whose bands come out of order, with the zenith of bandId 8."""


@pytest.mark.parametrize(("document", "zenith"), DOCUMENTS)
def test_b8a_is_found_by_band_id(document: bytes, zenith: float) -> None:
    assert view_zenith_of_b8a(document) == pytest.approx(zenith)


@given(st.integers(0, XML.rindex(b"</")))
@settings(max_examples=40, deadline=None)
def test_a_document_cut_off_is_unknown(end: int) -> None:
    assert view_zenith_of_b8a(XML[:end]) is None


@given(st.integers(0, len(XML) - 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_damaged_document_is_an_angle_or_unknown(position: int, junk: bytes) -> None:
    zenith = view_zenith_of_b8a(XML[:position] + junk + XML[position + len(junk) :])
    assert zenith is None or 0 <= zenith < 90


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "8">]><a><Mean_Viewing_Incidence_Angle bandId="8"/></a>'
    assert view_zenith_of_b8a(bomb) is None
