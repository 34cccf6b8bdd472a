"""The documentation of a release: machine-readable descriptions, citation, reporting checklists and changes.

The numbers, their disclosure control and the files' place on disk are decided elsewhere.
"""
