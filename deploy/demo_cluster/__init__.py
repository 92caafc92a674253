"""Several machines on one: PostgreSQL, RabbitMQ, Ceph's radosgw, and hosts that are namespaces of Linux.

``make demo-cluster`` runs it; tests and benchmarks use its parts one by one.
"""
