"""Tests of the text that goes out."""
