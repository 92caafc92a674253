"""The name by which services of version 0.1.0 start ``orchestration.instance.code_server``."""

from satfusion_assets.orchestration.instance.code_server import main

if __name__ == "__main__":
    main()
