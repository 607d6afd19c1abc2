"""The project's own family: bit-planes of a wavelet, one small context network in integers, a filter; `wave`."""
