"""What a table was made from, as names and short digests: code, data files, SQL, libraries."""
