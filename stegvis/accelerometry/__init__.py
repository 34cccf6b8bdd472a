"""From raw or synchronized two-sensor recordings to classified epochs.

Raw device files, clocks, wear, calibration, windows, features, the epoch classifier, walking speed, and the training
and evaluation of the model. Sums by day and person are SQL.
"""
