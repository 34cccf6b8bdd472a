"""When and where it runs: definitions, plan, refresh, status, command line.

Belongs here: everything that decides what runs and tells a person about it. Does not belong here: what an asset is or
does (``assets/``). Nothing imports this package but the entry points and the tests.
"""

import warnings

# Dagster marks partitioned asset checks as a preview; the notice would stand above every command's output.
warnings.filterwarnings("ignore", module="dagster")
warnings.filterwarnings("ignore", message=".*preview.*")
warnings.filterwarnings("ignore", message=".*beta.*")
