"""Published claims as rules over current estimates."""
