"""Reproducing estimates elsewhere: for each row of the results, the command that gives it in R and in Stata.

The functions that the commands call are in ``repeat.R`` and ``repeat.do``; ``stegvis export`` writes the tables.
"""
