"""A scan embedded: one code per voxel, made, kept and cut."""
