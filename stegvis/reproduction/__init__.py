"""Repeating estimates elsewhere: for each row of the results, the command that gives it in R and in Stata.

Belongs here: the commands, and the functions they call (``repeat.R``, ``repeat.do``). Does not belong here: estimating
(``stegvis.statistics``), and taking the rows of people out (``stegvis.orchestration.export``).
"""
