"""`python -m tenure`: the same command as the installed `tenure`."""

from tenure.faces.cli import main

if __name__ == "__main__":
    main()
