"""The estimators: one short module per method, each pure functions from arrays or frames to plain numbers.

Belongs here: estimators, the contract before a fit, categories, and the shape of a result row. Does not belong here:
which models a wave gets (``stegvis.analyses``), who is included (the exclusions are SQL), what may leave
(``stegvis.disclosure``), and how a number is printed (reporting).

How a model is fitted: ``terms`` says what stands in it, ``contract`` checks the frame and builds the design,
``risk_ratio`` fits it, ``results`` is the one shape an estimate is told in.
"""
