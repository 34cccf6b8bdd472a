"""The statistics: one short module per analysis, each a pure function from a frame of people to rows of results.

Belongs here: estimators, the contract before a fit, categories, and the shape of a result row. Does not belong here:
who is included (the exclusions are SQL), what may leave (``study.disclosure``), and how a number is printed
(reporting).

How an analysis is made: ``terms`` says what stands in the model, ``contract`` checks the frame and builds the design,
``risk_ratio`` fits it, ``results`` shapes the rows; ``category_model`` joins these for the commonest case.
"""
