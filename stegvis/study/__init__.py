"""Reading a study: its protocol, its codebook, and what its tables' columns mean."""
