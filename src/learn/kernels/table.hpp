// All kernels of one target: LRID_TARGET names it. Included once by each target's source file.
#include "conv.hpp"
#include "dense.hpp"
#include "hinge.hpp"
#include "kernels.hpp"
#include "split.hpp"

namespace lrid::learn::LRID_TARGET {

#define LRID_STRING(text) LRID_STRING_OF(text)
#define LRID_STRING_OF(text) #text

extern const Kernels table;
const Kernels table = {.target = LRID_STRING(LRID_TARGET),
                       .split = split_kernels,
                       .dense = dense_kernels,
                       .hinge = hinge_kernels,
                       .conv_float = conv_kernels<float>,
                       .conv_double = conv_kernels<double>};

}  // namespace lrid::learn::LRID_TARGET
