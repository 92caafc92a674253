"""A frozen bundle: what one figure was made of, small enough to lie beside a paper, and enough to make it again."""
