#pragma once

/// Marks a function that is compiled for the host and for CUDA devices from one source.
#ifdef __CUDACC__
#define LRID_HOST_DEVICE __host__ __device__ inline
#else
#define LRID_HOST_DEVICE inline
#endif
