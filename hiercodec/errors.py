"""Every error that hiercodec raises on purpose, in one tree.

    HiercodecError                      one clear line; the command line prints it and exits with `exit_code`
    ├── InputError                      what the user gave cannot be used
    │   ├── ImageError                  bytes that are not a photograph we accept
    │   │   ├── NotAnImage              unknown or refused format
    │   │   ├── ImageTooLarge           more pixels or bytes than the cap
    │   │   ├── DamagedImage            a known format that does not decode
    │   │   └── NotRGB                  pixels in memory that are not RGB, 8 bits a sample
    │   ├── Unreadable                  a file, or a part of an archive, that cannot be read
    │   ├── ModelNotFound               no such codec model, or its weights are missing
    │   ├── ClassifierNotFound          no such classifier, or its weights are missing
    │   ├── HierarchyError              a hierarchy file or a taxonomy resource that cannot be used
    │   ├── CourseError                 a lesson that cannot be shown; the message names file and line
    │   ├── ConfigError                 a training configuration that cannot be used
    │   └── OutputError                 an output path that cannot be written
    ├── ResourceError                   what was asked for is more than there is, or than may be used
    │   ├── OutOfMemory                 it needs more memory
    │   ├── OutOfTime                   it takes more time
    │   ├── WorkerDied                  the process that worked on it is gone
    │   └── WorkFailed                  it failed in a way that we did not foresee; the log says how
    └── StreamError                     a .hc stream that cannot be used; `offset` says where, in bytes
        ├── BadMagic                    not a .hc stream
        ├── IncompleteHeader            cut inside its header: nothing is wrong, but nothing can be decoded yet
        ├── UnsupportedVersion          a .hc stream of a version or with a level plan this release does not know
        ├── CorruptStream               damage: a checksum or a field that cannot be right
        ├── ModelMismatch               made by another model (fingerprints differ)
        └── ParameterDesync             the decoder derived other entropy parameters than the encoder; `block` names it

Truncation is not an error: a cut stream decodes to as much as it holds. Only a cut inside the header (the first
25 bytes or so) leaves nothing to decode.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BadMagic",
    "ClassifierNotFound",
    "ConfigError",
    "CorruptStream",
    "CourseError",
    "DamagedImage",
    "HierarchyError",
    "HiercodecError",
    "ImageError",
    "ImageTooLarge",
    "IncompleteHeader",
    "InputError",
    "ModelMismatch",
    "ModelNotFound",
    "NotAnImage",
    "NotRGB",
    "OutOfMemory",
    "OutOfTime",
    "OutputError",
    "ParameterDesync",
    "ResourceError",
    "StreamError",
    "Unreadable",
    "UnsupportedVersion",
    "WorkFailed",
    "WorkerDied",
]
"""The errors, which `hiercodec` exports."""


class HiercodecError(Exception):
    """Base of all errors; `exit_code` is what the command line exits with."""

    exit_code = 2

    def __reduce__(self) -> tuple[Any, ...]:
        # As it is, not made anew from its arguments: errors cross from worker processes with their offsets and blocks.
        return as_it_was, (type(self), self.args, self.__dict__)


def as_it_was(kind: type[HiercodecError], args: tuple[Any, ...], state: dict[str, Any]) -> HiercodecError:
    """An error with its attributes, from its parts: how one comes out of another process."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InputError(HiercodecError):
    """What the user gave cannot be used."""


class ImageError(InputError):
    """Bytes that are not a photograph we accept."""


class NotAnImage(ImageError):
    """Unknown or refused image format."""


class ImageTooLarge(ImageError):
    """More pixels or bytes than the cap."""


class DamagedImage(ImageError):
    """A known image format that does not decode."""


class NotRGB(ImageError):
    """Pixels in memory that are neither a PIL image nor uint8[H, W, 3]; the message says how to convert them."""


class Unreadable(InputError):
    """A file, or a part of an archive, that cannot be read."""


class ModelNotFound(InputError):
    """No such codec model, or its weights are missing."""


class ClassifierNotFound(InputError):
    """No such classifier, or its weights are missing."""


class HierarchyError(InputError):
    """A hierarchy file or a taxonomy resource that cannot be used."""


class ConfigError(InputError):
    """A training configuration that cannot be used."""


class CourseError(InputError):
    """A lesson that cannot be shown; the message names its file and line."""


class OutputError(InputError):
    """An output path that cannot be written."""


class ResourceError(HiercodecError):
    """What was asked for is more than there is, or than may be used."""


class OutOfMemory(ResourceError):
    """It needs more memory than there is, or than it may use."""


class OutOfTime(ResourceError):
    """It takes more time than it may."""


class WorkerDied(ResourceError):
    """The process that worked on it is gone."""


class WorkFailed(ResourceError):
    """It failed in a way that was not foreseen; whoever runs the program finds the traceback in the log."""


def how_to_install(extra: str) -> str:
    """What installs an extra of ours, in words: no package index carries hiercodec.

    >>> how_to_install("app")
    "in a clone of the repository: pip install '.[app]'"
    """
    return f"in a clone of the repository: pip install '.[{extra}]'"


def first_line(error: BaseException | None) -> str:
    """What a foreign error says, in one line of at most 160 characters; its kind where it says nothing.

    >>> first_line(ValueError("no such key\\nand where it was looked for")), first_line(KeyError())
    ('no such key', 'KeyError')
    """
    text = (getattr(error, "strerror", None) or str(error)).strip() or type(error).__name__
    line = text.splitlines()[0]
    return line if len(line) <= 160 else f"{line[:159]}…"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's own does, and torch's, which is a plain `RuntimeError`."""
    words = ("allocate memory", "out of memory", "bad_alloc")
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(w in str(error) for w in words))


class StreamError(HiercodecError):
    """A .hc stream that cannot be used; `offset` is the byte at which that became clear."""

    exit_code = 4

    def __init__(self, message: str, *, offset: int = 0) -> None:
        super().__init__(f"{message} (at byte {offset})")
        self.offset = offset


class BadMagic(StreamError):
    """Not a .hc stream."""


class IncompleteHeader(StreamError):
    """Cut inside its header: sound so far, but nothing can be decoded yet."""

    exit_code = 3


class UnsupportedVersion(StreamError):
    """A version or level plan that this release does not know."""


class CorruptStream(StreamError):
    """A checksum or a field that cannot be right."""


class ModelMismatch(StreamError):
    """The stream was made by another model."""


class ParameterDesync(StreamError):
    """The decoder derived other entropy parameters than the encoder; `block` is the level's name, or "z"."""

    def __init__(self, message: str, *, block: str, offset: int = 0) -> None:
        super().__init__(message, offset=offset)
        self.block = block
