"""Whether a new wave or batch is likely to be true: its profile beside the earlier ones and the protocol's ranges."""
