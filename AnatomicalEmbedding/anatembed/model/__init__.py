"""The network, its configuration and read-out, in one file."""
