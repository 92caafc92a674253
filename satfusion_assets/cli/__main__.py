"""``python -m satfusion_assets.cli``"""

from satfusion_assets.cli import main

main()
