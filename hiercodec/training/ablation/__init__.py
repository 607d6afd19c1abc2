"""The ablations of the paper (§5.3) and comparisons of trained models at equal bytes."""
