"""What must be true of each table: one suite of expectations per table, in a module named after it."""
