"""Programs that nobody here wrote, end to end."""
