"""How a stage becomes a Dagster asset: one recipe per stage, staged, judged, published and remembered the same way.

Belongs here: what every asset shares. Does not belong here: anything about one stage.
"""
