// Instantiates the warp kernels of one instruction set: compiled once per set, with its flags, LIMRISK_LANES and LIMRISK_VECTOR_BYTES.
// Nothing from the standard library may be instantiated here: the linker could pick such code for an older processor.
#include "backend/cpu/kernel_table.hpp"
#include "kernels/warp.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {
extern template Pack<float> batch_gradient(const BatchContext<float>&, const BatchSource<float>&, const Pack<float>*, Pack<float>*);
extern template Pack<double> batch_gradient(const BatchContext<double>&, const BatchSource<double>&, const Pack<double>*, Pack<double>*);
}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

namespace limrisk::cpu {
namespace {

std::size_t arena_bytes(const kernels::Cell& cell) {
    return cell.precision == kernels::Precision::Float32 ? kernels::Warp<float>(cell, 0, nullptr).bytes()
                                                         : kernels::Warp<double>(cell, 0, nullptr).bytes();
}

bool run_warp(const WarpTask& task) {
    return task.cell->precision == kernels::Precision::Float32 ? kernels::Warp<float>(*task.cell, task.first_trial, task.arena).run(task)
                                                               : kernels::Warp<double>(*task.cell, task.first_trial, task.arena).run(task);
}

}  // namespace

extern const KernelTable LIMRISK_KERNEL_TABLE;
const KernelTable LIMRISK_KERNEL_TABLE{arena_bytes, run_warp};

}  // namespace limrisk::cpu
