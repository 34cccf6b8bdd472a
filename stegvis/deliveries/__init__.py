"""The contract of a delivery: which cells and rows are used, and why the others are not."""
