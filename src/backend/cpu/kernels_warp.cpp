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

/// Calls `body` with a real of the cell's precision. LIMRISK_FLOAT32_ONLY (kernels with planted mistakes) leaves float64 out.
template <class Body>
auto with_precision(const kernels::Cell& cell, Body body) {
#ifndef LIMRISK_FLOAT32_ONLY
    if (cell.precision == kernels::Precision::Float64) return body(double{});
#endif
    (void)cell;
    return body(float{});
}

std::size_t arena_bytes(const kernels::Cell& cell) {
    return with_precision(cell, [&](auto real) { return kernels::Warp<decltype(real)>(cell, 0, nullptr).bytes(); });
}

bool run_warp(const WarpTask& task) {
    return with_precision(*task.cell,
                          [&](auto real) { return kernels::Warp<decltype(real)>(*task.cell, task.first_trial, task.arena).run(task); });
}

}  // namespace

extern const KernelTable LIMRISK_KERNEL_TABLE;
const KernelTable LIMRISK_KERNEL_TABLE{arena_bytes, run_warp};

}  // namespace limrisk::cpu
