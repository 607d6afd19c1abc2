"""`python -m hiercodec …`."""

from hiercodec.cli.main import entry

if __name__ == "__main__":
    entry()
