"""The version, said once: pyproject.toml, the command line and what we make read it here."""

__version__ = "0.3.0"
