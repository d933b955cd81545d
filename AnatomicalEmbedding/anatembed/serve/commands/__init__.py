"""What each command of the command line does; a result is returned, and nothing is printed here."""
