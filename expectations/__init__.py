"""What must be true of each table: one module per asset, named after it.

Belongs here: rules, and running them with Great Expectations. Does not belong here: Dagster, SQL, anything but
``stegvis.study.protocol``.
"""
