"""Runs on several machines: PostgreSQL says who lives, RabbitMQ who works. Needs the extra ``satfusion[cluster]``."""
