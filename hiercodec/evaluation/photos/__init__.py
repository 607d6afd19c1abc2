"""Every way photographs come in: data sets, uploads, samples, and the pictures behind rows; one rule for what counts."""
