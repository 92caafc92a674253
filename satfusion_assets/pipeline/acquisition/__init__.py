"""What the raw products share: cache, fetching, reports, criteria, and looking for news."""
