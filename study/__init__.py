"""The science of Stegvis as pure functions.

Belongs here: the protocol, the delivery contract, accelerometry, statistics, the twin and reporting.
Does not belong here: Dagster, a database connection, the command line, or any path other than one handed in.
"""
