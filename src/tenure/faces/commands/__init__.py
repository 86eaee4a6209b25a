"""The commands of `tenure`, one idea a file; `faces.cli` puts them together."""
