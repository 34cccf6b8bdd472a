"""From raw or synchronized two-sensor recordings to classified epochs.

Belongs here: raw files, clocks, wear, calibration, signals, windows, features, the epoch classifier, walking speed, the
training of the model, and the days of one recording.
Does not belong here: day totals of the warehouse (SQL), landing folders and partitions (assets).
"""
