"""Publish long answers to Nostr without losing their tail, and fetch whole threads."""
