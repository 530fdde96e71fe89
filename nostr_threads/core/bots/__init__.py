"""What a bot hears, whether it should answer, and what may be said: all of it pure."""
