"""Training a codec: the differentiable model, its loss, and validation by real files."""
