// CUDA C++ text of one cell's kernels: a `Spec` with every constant of the cell, then the header that holds the kernels.
#pragma once
#include <string>

#include "backend/cuda/compile_job.hpp"
#include "backend/cuda/kernel_plan.hpp"

namespace limrisk::cuda {

/// The program that trains a cell, without the name and the architecture of the job. Its kernel is limrisk_train_ and 16 hexadecimal
/// digits. The same for cells that differ only in seed, steps, learning rate or initialization, so that they share one cubin.
CompileJob train_kernel_job(const kernels::Cell& cell, const KernelPlan& plan);

/// The program with `limrisk_initialize`, `limrisk_check` and `limrisk_finish`; cells that differ in width, optimizer, batch or parameters
/// of the activation share it, too.
std::string evaluate_kernel_source(const kernels::Cell& cell, const KernelPlan& plan);

}  // namespace limrisk::cuda
