"""Tests of the socket ring."""
