"""Everything that turns label maps and labelled scans into a checkpoint; nothing here is needed to use one."""
