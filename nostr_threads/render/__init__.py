"""Text for people and programs: pure, escapes everything that came from a relay."""
