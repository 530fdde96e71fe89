"""Tests of the database ring."""
