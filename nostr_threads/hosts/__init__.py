"""What the hosts of language models load: the same few tools, for each of them."""
