"""The tests of Tenure; a directory that is a package ends what it serves when it is left."""
