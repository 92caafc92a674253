"""Orchestration: checks, jobs, sensors and schedules, derived from the registry of products."""
