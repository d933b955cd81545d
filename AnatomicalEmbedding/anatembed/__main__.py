"""`python -m anatembed` is the command line."""

import sys

from anatembed.serve.cli import main

if __name__ == "__main__":
    sys.exit(main())
