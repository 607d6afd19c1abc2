"""The command line: one module a group of commands; `main` finds the one that was asked for."""
