"""What differs between the databases that can be the warehouse."""
