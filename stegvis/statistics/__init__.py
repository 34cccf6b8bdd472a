"""The estimators: one short module per method, each pure functions from arrays or frames to plain numbers.

Which models a wave gets is decided in ``stegvis.analyses``, who is included in SQL.

How a model is fitted: ``terms`` defines its right-hand side, ``contract`` checks the frame and builds the design,
``risk_ratio`` fits it, ``results`` defines the row of an estimate.
"""
