"""What is made: one short module per table.

``table.py`` has the decorator that makes an asset of a function, ``home.py`` what every asset needs, and ``graph.py``
the list of all tables in the order the data flow. Arithmetic is in ``stegvis/`` and ``sql/``.
"""

import warnings

# Dagster marks partitioned asset checks as a preview; the notice would precede every command's output.
warnings.filterwarnings("ignore", module="dagster")
warnings.filterwarnings("ignore", message=".*(preview|beta).*")
