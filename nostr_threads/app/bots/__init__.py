"""Bots at work: their files, where answers come from, and who is answered when."""
