"""The viewer: the store as web pages on this machine, for people and for their programs."""
