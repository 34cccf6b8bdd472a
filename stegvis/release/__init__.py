"""What a release holds beside its numbers: descriptions for programs, a citation, and the reporting checklists.

Belongs here: making these from the protocol, the dictionary and the release's files. Does not belong here: the numbers,
their disclosure control, moving files into place.
"""
