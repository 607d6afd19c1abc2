"""Pictures in and out: files become RGB uint8[H, W, 3] (`reading`), as browsers show them (`mending`, `colour`); arrays
become files, crops and names (`arrays`)."""

from hiercodec.images.arrays import (
    centre_crop,
    check_rgb,
    encode_as,
    encode_png,
    is_flat,
    pad_to_multiple,
    resize_to,
    sha256_of,
)
from hiercodec.images.mending import MAX_SCANS, MAX_SEGMENTS
from hiercodec.images.reading import (
    FORMATS,
    MAX_BYTES,
    MAX_LARGE,
    MAX_PIXELS,
    MAX_SIDE,
    as_rgb,
    load_rgb,
    read_rgb,
    read_within,
    sniff,
    suffixes,
)
