"""Tests of the pure ring: no asyncio, no mocks."""
