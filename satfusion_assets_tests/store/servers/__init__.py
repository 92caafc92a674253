"""S3 servers for tests: real ones, on loopback ports of their own."""
