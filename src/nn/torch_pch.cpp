// Nothing of its own: carries the precompiled header of LibTorch.
