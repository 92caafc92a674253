"""Sampling: what images say at the site."""
