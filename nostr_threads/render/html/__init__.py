"""A thread as HTML: pure; what came from a relay shows as text and loads nothing by itself."""
