"""Training: data, the loss of Eq. 2, the loop, and distillation of the bundled classifier."""
