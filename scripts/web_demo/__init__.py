"""A web page with the module's own Logic: a launcher, and one process per visitor."""
