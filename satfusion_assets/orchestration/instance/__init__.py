"""All that knows Dagster's insides: launcher, code server, event log, preloading."""
