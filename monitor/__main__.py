"""`python -m monitor` is `headwatch`."""

from monitor.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
