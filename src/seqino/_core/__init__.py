"""The engine room: nothing here is public."""
