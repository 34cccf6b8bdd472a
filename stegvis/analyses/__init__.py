"""The analyses: one short module per value of ``analysis`` in the results, from a wave's data to result rows.

The estimators are in ``stegvis.statistics``. ``wave_data`` defines the input of an analysis; ``suite`` lists all of
them.
"""
