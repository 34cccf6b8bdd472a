"""The analyses: one short module per value of ``analysis`` in the results, each from a wave's data to result rows.

Belongs here: which models are fitted in which people, and their rows. Does not belong here: how an estimate is
computed (``stegvis.statistics``), reading and writing tables.

``wave_data`` is what an analysis sees; ``battery`` lists all of them.
"""
