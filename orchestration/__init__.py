"""When and where it runs: definitions, plan, refresh, status, command line.

Nothing imports this package but the entry points and the tests.
"""

import warnings

# Dagster marks partitioned asset checks as a preview; the notice would precede every command's output.
warnings.filterwarnings("ignore", module="dagster")
warnings.filterwarnings("ignore", message=".*preview.*")
warnings.filterwarnings("ignore", message=".*beta.*")
