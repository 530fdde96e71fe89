"""Tests of the store answered as a relay."""
