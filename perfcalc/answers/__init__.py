"""What people ask of a verdict."""
