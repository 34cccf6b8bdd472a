"""The name under which results across waves stand, in the place of a wave's."""

ACROSS = "all"
