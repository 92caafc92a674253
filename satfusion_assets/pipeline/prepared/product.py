""""""

from __future__ import annotations

from typing import Final

from satfusion_assets.vocabulary.scenarios import Mode

PREPARED: Final = {Mode.BTI: "prepared_bti", Mode.ITB: "prepared_itb"}
"""Product name of each mode's prepared images."""
