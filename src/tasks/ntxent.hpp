#pragma once

#include <cstdint>

#include <lrid/tasks/task.hpp>

namespace lrid::tasks {

/// Normalised temperature-scaled cross entropy (Chen, Kornblith, Norouzi & Hinton, ICML 2020), as the study's
/// contrastive_loss.py has it: twice their mean over 2N.
///
/// `outputs` [2N, D], rows 0…N−1 of views 1, N…2N−1 of views 2 of the same samples. With z = h/√max(‖h‖²,
/// 1e-12), row i of [z₁z₂ᵀ | z₁z₁ᵀ]/τ, its own place in the second half taken out, is a softmax whose target
/// is column i; likewise [z₂z₁ᵀ | z₂z₂ᵀ]/τ. Loss: the mean over N of the first plus that of the second.
/// `correct`: undefined; `more` [1]: rows of z₁z₂ᵀ whose first largest entry is their own column.
///
/// With shards > 1 the samples are cut into so many parts of equal size (as far as they divide), each of
/// which contrasts within itself, as on the 8 cores of the study's TPU; the loss is the mean over samples.
LossValue ntxent(const Tensor& outputs, double temperature, std::int64_t shards);

}  // namespace lrid::tasks
