#include <lrid/nn/architecture.hpp>

#include "knet.hpp"

namespace lrid::nn {

const Registry<Architecture>& architectures() {
  static const Registry<Architecture> registry("architecture", {
                                                                   knet4(),
                                                                   knet5(),
                                                                   knet4_lrn(),
                                                                   knet5_lrn(),
                                                               });
  return registry;
}

}  // namespace lrid::nn
