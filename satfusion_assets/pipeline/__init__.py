"""The pipeline: a folder a product, in the order in which they are made; ``registry`` lists them all."""
