"""The suite; it mirrors the package."""
