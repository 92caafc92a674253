"""The manual's site: what mkdocs cannot read from ``docs/`` by itself, and the pictures of its tutorial."""
