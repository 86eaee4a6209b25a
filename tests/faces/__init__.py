"""What is served and printed: over HTTP, on a terminal, in the console."""
