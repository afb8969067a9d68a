#include <lrid/nn/architecture.hpp>

#include "alexnet.hpp"
#include "knet.hpp"
#include "resnet.hpp"

namespace lrid::nn {

const Registry<Architecture>& architectures() {
  static const Registry<Architecture> registry("architecture", {
                                                                   knet4(),
                                                                   knet5(),
                                                                   knet4_lrn(),
                                                                   knet5_lrn(),
                                                                   alexnet(),
                                                                   alexnet_lrn(),
                                                                   resnet18(),
                                                                   resnet34(),
                                                                   resnet50(),
                                                                   resnet101(),
                                                                   resnet152(),
                                                                   resnet18_v2(),
                                                                   resnet34_v2(),
                                                                   resnet50_v2(),
                                                                   resnet101_v2(),
                                                                   resnet152_v2(),
                                                               });
  return registry;
}

}  // namespace lrid::nn
