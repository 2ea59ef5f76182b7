// CUDA C++ text of one cell's train kernel: a `Spec` (kernels/fused_step.hpp) with every constant of the cell, then
// kernels/cuda_kernels.hpp.
#pragma once
#include <string>

#include "kernels/cell.hpp"

namespace limrisk::cuda {

/// The program that NVRTC compiles for a cell; its kernel is `limrisk_train`. The same text for cells that differ only in seed, steps,
/// learning rate or initialization, so that they share one cubin.
std::string train_kernel_source(const kernels::Cell& cell);

}  // namespace limrisk::cuda
