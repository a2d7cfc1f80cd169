"""`python -m unrolled`: the command line."""

from unrolled.cli import main

main()
