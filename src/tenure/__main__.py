"""`python -m tenure`: the same command as the installed `tenure`."""

from tenure.faces.cli import main

# Guarded: the processes that serve are spawned, and a spawned one imports this module again.
if __name__ == "__main__":
    main()
