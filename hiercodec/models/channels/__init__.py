"""The paper's family: a latent of channels in blocks, a hyper-latent, one context network; `lite` and `tic`."""
