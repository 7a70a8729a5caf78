"""The playground: a page over the core's own numbers, served on this machine or in a notebook."""
