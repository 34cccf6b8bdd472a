"""From synchronized two-sensor signals to classified epochs.

Belongs here: signals, windows, features, the epoch classifier, walking speed, and the training of the model.
Does not belong here: day totals and day rules (SQL), landing folders and partitions (assets).
"""
