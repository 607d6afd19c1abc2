"""What one picture or a data set gives under a codec: traces, metrics, results."""
