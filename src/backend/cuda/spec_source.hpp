// CUDA C++ text of one cell's kernels: a `Spec` with every constant of the cell, then the header that holds the kernels.
#pragma once
#include <string>

#include "backend/cuda/kernel_plan.hpp"

namespace limrisk::cuda {

/// The program that trains a cell; its kernel is `limrisk_train`. The same text for cells that differ only in seed, steps, learning rate
/// or initialization, so that they share one cubin.
std::string train_kernel_source(const kernels::Cell& cell, const KernelPlan& plan);

/// The program with `limrisk_initialize`, `limrisk_check` and `limrisk_finish`; cells that differ in width, optimizer, batch or parameters
/// of the activation share it, too.
std::string evaluate_kernel_source(const kernels::Cell& cell, const KernelPlan& plan);

}  // namespace limrisk::cuda
