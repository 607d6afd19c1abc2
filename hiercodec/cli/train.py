"""`python -m hiercodec train CONFIG [--resume] [--minutes M]`."""

from __future__ import annotations

import argparse
import signal
import sys

from hiercodec.errors import HiercodecError


def main(argv: list[str] | None = None) -> int:
    """Train what the TOML file describes; prints the exported model's path."""
    parser = argparse.ArgumentParser(prog="hiercodec train", description=main.__doc__)
    parser.add_argument("config", help="a TOML file, see configs/")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--minutes", type=float, help="stop after this long, with a usable checkpoint")
    args = parser.parse_args(argv)
    from hiercodec.training.config import read_config
    from hiercodec.training.run import Trainer

    trainer = Trainer(read_config(args.config), resume=args.resume)
    for name in (signal.SIGTERM, signal.SIGINT):  # the second one ends the process at once
        signal.signal(name, lambda number, _: (trainer.stop(), signal.signal(number, signal.SIG_DFL)))
    print(trainer.run(args.minutes))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except HiercodecError as error:
        sys.exit(f"hiercodec: {error}")
