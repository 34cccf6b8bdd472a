"""Repeating estimates elsewhere: for each row of the results, the command that gives it in R and in Stata.

Belongs here: the commands, and the functions they call (``repeat.R``, ``repeat.do``). Does not belong here: estimating
(``study.statistics``), and taking the rows of people out (``orchestration.export``).
"""
