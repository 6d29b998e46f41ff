"""A file becomes columns. This wing reads what a sheet says; it never knows a law."""
