"""The viewer's server: read-only, what the front end asks for."""
