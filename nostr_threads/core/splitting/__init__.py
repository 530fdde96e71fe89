"""How a long text is cut: what its blocks are, where it may be cut, and which cuts cost least."""
