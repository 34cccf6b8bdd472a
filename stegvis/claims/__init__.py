"""The published claims, tested against current estimates."""
