"""The database ring: verified events, threads, sightings and the outbox."""
