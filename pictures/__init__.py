"""The README's pictures, made from what the program does: `python -m pictures`."""
