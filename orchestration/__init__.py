"""When and where it runs: definitions, plan, refresh, status, command line.

Nothing imports this package but the entry points and the tests.
"""
