"""What is made: one short module per stage, named in the order the data flows.

Belongs here: for each stage, what it is made from and the call that makes it. Does not belong here: arithmetic
(``stegvis/``, ``sql/``), when and where things run (``orchestration/``).
"""
