"""Small pictures of products for the UI."""
