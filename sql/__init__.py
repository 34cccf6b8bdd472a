"""One SELECT per table, in a file named after its asset."""
