#pragma once

/// Before a function that is written once and runs on the host and on CUDA devices.
#ifdef __CUDACC__
#define LRID_ANYWHERE __host__ __device__ inline
#else
#define LRID_ANYWHERE inline
#endif
