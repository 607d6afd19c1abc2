"""hiercodec: an image codec whose one bitstream means more the more of it arrives."""

__version__ = "0.1.0"
