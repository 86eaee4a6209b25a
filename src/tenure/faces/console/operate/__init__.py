"""The operators' part of the console: the house, what is found in it, and what is done to it."""
