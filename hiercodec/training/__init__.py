"""Training: data, the loss of Eq. 2, and the loop."""
