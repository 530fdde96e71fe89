"""The use cases: short coroutines that let the core decide and the adapters do."""
